/** @file Llama-style decoders as GGUF. Read write-llama.ts first. */
export type { LlamaDescription } from "./description.ts";
export {
  byteLetters,
  type LlamaTokenizer,
  type PairTokenizer,
  type PieceTokenizer,
  pieceVocabularyStart,
  type TokenType,
} from "./tokenizer.ts";
export {
  interleaveHeads,
  type LlamaBlockWeights,
  type LlamaWeights,
  separateHeads,
  type WeightSource,
} from "./weights.ts";
export { type LlamaModel, type WriteLlamaOptions, writeLlamaGguf } from "./write-llama.ts";
