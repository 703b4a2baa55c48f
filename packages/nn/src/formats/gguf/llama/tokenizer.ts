/**
 * @file Tokenizers as llama.cpp reads them: "llama" (SentencePiece pieces with scores and byte fallback) and "gpt2"
 * (byte-level pairs that are merged). Source: ggml's docs/gguf.md, "Tokenizer", and llama.cpp's src/llama-vocab.cpp.
 */
import { byteTokens, type GgufValue } from "@gristmill/gguf";

/** What a token is for, with llama.cpp's numbers. */
const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** What a token is for; control tokens are never part of a text. */
export type TokenType = keyof typeof tokenTypes;

/** What both kinds have. Ids are places in `tokens`. */
interface CommonTokenizer {
  /** A text per token, each once. */
  readonly tokens: readonly string[];
  readonly beginId?: number;
  readonly endId?: number;
  readonly unknownId?: number;
  readonly paddingId?: number;
  /** Whether a text gets the begin token in front; false when not said. */
  readonly addBegin?: boolean;
  /** A Jinja template that makes one text of a conversation. */
  readonly chatTemplate?: string;
}

/**
 * Pieces with scores, as SentencePiece makes them; "\\u2581" stands for a space. The pair of neighbours whose union has the
 * highest score is joined first. What no piece covers is spelled with the 256 byte tokens, which must be there.
 */
export interface PieceTokenizer extends CommonTokenizer {
  readonly kind: "llama";
  /** One per token. */
  readonly scores: ArrayLike<number>;
  /** One per token. */
  readonly types: readonly TokenType[];
  /** Whether a text gets a space in front before it is cut up; true when not said, as in SentencePiece. */
  readonly addSpacePrefix?: boolean;
}

/** Byte-level pairs, as GPT-2 makes them: bytes are written as the letters of `byteLetters`. */
export interface PairTokenizer extends CommonTokenizer {
  readonly kind: "gpt2";
  /** "left right", the first to be merged first. */
  readonly merges: readonly string[];
  /** One per token; all normal when not said. */
  readonly types?: readonly TokenType[];
  /** How llama.cpp cuts a text before merging: "gpt-2" when not said, or another of its names ("llama-bpe", "qwen2"). */
  readonly preTokenizer?: string;
}

/** A tokenizer to write. */
export type LlamaTokenizer = PieceTokenizer | PairTokenizer;

/** Metadata of a tokenizer. */
export function tokenizerMetadata(tokenizer: LlamaTokenizer): [string, GgufValue][] {
  const { kind, tokens } = tokenizer;
  const entries: [string, GgufValue][] = [
    ["model", { type: "string", value: kind }],
    ["pre", { type: "string", value: kind === "gpt2" ? (tokenizer.preTokenizer ?? "gpt-2") : "default" }],
    ["tokens", { type: "array", value: { of: "string", values: tokens } }],
  ];
  if (kind === "llama") {
    entries.push(["scores", { type: "array", value: { of: "float32", values: Float32Array.from(tokenizer.scores) } }]);
    entries.push(["add_space_prefix", { type: "bool", value: tokenizer.addSpacePrefix ?? true }]);
  } else entries.push(["merges", { type: "array", value: { of: "string", values: tokenizer.merges } }]);
  const types = tokenizer.types ?? tokens.map((): TokenType => "normal");
  const codes = Int32Array.from(types, (type) => tokenTypes[type]);
  entries.push(["token_type", { type: "array", value: { of: "int32", values: codes } }]);
  const ids = {
    bos: tokenizer.beginId,
    eos: tokenizer.endId,
    unknown: tokenizer.unknownId,
    padding: tokenizer.paddingId,
  };
  for (const [name, value] of Object.entries(ids))
    if (value !== undefined) entries.push([`${name}_token_id`, { type: "uint32", value }]);
  entries.push(["add_bos_token", { type: "bool", value: tokenizer.addBegin ?? false }]);
  const prefixed = entries.map(([name, value]): [string, GgufValue] => [`tokenizer.ggml.${name}`, value]);
  const { chatTemplate } = tokenizer;
  if (chatTemplate !== undefined) prefixed.push(["tokenizer.chat_template", { type: "string", value: chatTemplate }]);
  return prefixed;
}

/** A start for a vocabulary of kind "llama": unknown, begin, end, and the 256 byte tokens, with their types and scores. */
export function pieceVocabularyStart(): { tokens: string[]; types: TokenType[]; scores: number[] } {
  const special = ["<unk>", "<s>", "</s>"];
  return {
    tokens: [...special, ...byteTokens],
    types: ["unknown", "control", "control", ...byteTokens.map((): TokenType => "byte")],
    scores: Array.from({ length: special.length + byteTokens.length }, () => 0),
  };
}

/**
 * The letter that stands for each byte in tokens of kind "gpt2": printable ones for themselves, the other 68 by the
 * letters from U+0100 on, in order (space is U+0120).
 */
export const byteLetters: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : 0x100 + others++));
})();
