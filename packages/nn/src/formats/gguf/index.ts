/** @file GGUF: the files that llama.cpp serves. The format itself is `@gristmill/gguf`; here are its numbers, and models. */
export {
  byteTokens,
  type GgufArray,
  type GgufHeader,
  type GgufLimits,
  type GgufTensorInfo,
  type GgufTensorType,
  type GgufValue,
  type GgufValueType,
  vocabularyProblems,
} from "@gristmill/gguf";
export type { GgufWritableType } from "./codec.ts";
export * from "./llama/index.ts";
export { GgufFile } from "./read.ts";
export { type GgufContents, type GgufTensor, writeGguf } from "./write.ts";
