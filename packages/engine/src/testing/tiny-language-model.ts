/**
 * @file A language model for tests: a llama-style decoder with random weights, made in a moment, the same each time.
 * Source of names and layout: ggml's docs/gguf.md.
 */
import { byteTokens, type GgufValue, paddingBytes, writeGgufHeader } from "@gristmill/gguf";

/** What can be different. */
export interface TinyLanguageModel {
  readonly seed?: number;
  readonly contextLength?: number;
  readonly chatTemplate?: string;
  /** False for a model whose tokens see those behind them. */
  readonly causal?: boolean;
  /** Further tokens. */
  readonly words?: readonly string[];
}

/** Tokens that tests name. */
export const tinyTokens = { begin: 1, end: 2, firstByte: 3 } as const;
/** The token of a byte. */
export const byteToken = (byte: number): number => tinyTokens.firstByte + byte;

const width = 64;
const heads = 4;
const keyValueHeads = 2;
const blocks = 2;
const feedForward = 96;
const words = ["\u2581", "\u2581the", "the", "cat", "\u2581cat", "<|im_start|>", "<|im_end|>"];
const [normal, unknown, control, byte] = [1, 2, 3, 6];

/** The bytes of a GGUF file; about 0.5 MB. */
export function tinyLanguageModel(options: TinyLanguageModel = {}): Uint8Array {
  const random = gaussians(options.seed ?? 1);
  const tokens = ["<unk>", "<s>", "</s>", ...byteTokens, ...words, ...(options.words ?? [])];
  const types = tokens.map((token, id) =>
    id === 0 ? unknown : id < 3 || token.startsWith("<|") ? control : id < 259 ? byte : normal,
  );
  const template = options.chatTemplate;
  const metadata: [string, GgufValue][] = [
    ["general.architecture", text("llama")],
    ["llama.context_length", uint32(options.contextLength ?? 512)],
    ["llama.embedding_length", uint32(width)],
    ["llama.block_count", uint32(blocks)],
    ["llama.feed_forward_length", uint32(feedForward)],
    ["llama.attention.head_count", uint32(heads)],
    ["llama.attention.head_count_kv", uint32(keyValueHeads)],
    ["llama.attention.layer_norm_rms_epsilon", { type: "float32", value: 1e-5 }],
    ["llama.attention.causal", bool(options.causal !== false)],
    ["llama.rope.dimension_count", uint32(width / heads)],
    ["llama.vocab_size", uint32(tokens.length)],
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", { type: "array", value: { of: "string", values: tokens } }],
    [
      "tokenizer.ggml.scores",
      { type: "array", value: { of: "float32", values: Float32Array.from(tokens, (token) => token.length) } },
    ],
    ["tokenizer.ggml.token_type", { type: "array", value: { of: "int32", values: Int32Array.from(types) } }],
    ["tokenizer.ggml.bos_token_id", uint32(tinyTokens.begin)],
    ["tokenizer.ggml.eos_token_id", uint32(tinyTokens.end)],
    ["tokenizer.ggml.unknown_token_id", uint32(0)],
    ["tokenizer.ggml.add_bos_token", bool(true)],
    ["tokenizer.ggml.add_space_prefix", bool(false)],
    ...(template === undefined ? [] : [["tokenizer.chat_template", text(template)] satisfies [string, GgufValue]]),
  ];
  const matrix = (rows: number, columns: number, deviation: number): Tensor => ({
    shape: [rows, columns],
    values: Float32Array.from({ length: rows * columns }, () => random() * deviation),
  });
  const ones = (): Tensor => ({ shape: [width], values: new Float32Array(width).fill(1) });
  const keyValueWidth = (width / heads) * keyValueHeads;
  const tensors: [string, Tensor][] = [["token_embd.weight", matrix(tokens.length, width, 1)]];
  for (let i = 0; i < blocks; i++)
    tensors.push(
      [`blk.${i}.attn_norm.weight`, ones()],
      [`blk.${i}.attn_q.weight`, matrix(width, width, 0.2)],
      [`blk.${i}.attn_k.weight`, matrix(keyValueWidth, width, 0.2)],
      [`blk.${i}.attn_v.weight`, matrix(keyValueWidth, width, 0.2)],
      [`blk.${i}.attn_output.weight`, matrix(width, width, 0.2)],
      [`blk.${i}.ffn_norm.weight`, ones()],
      [`blk.${i}.ffn_gate.weight`, matrix(feedForward, width, 0.2)],
      [`blk.${i}.ffn_up.weight`, matrix(feedForward, width, 0.2)],
      [`blk.${i}.ffn_down.weight`, matrix(width, feedForward, 0.2)],
    );
  tensors.push(["output_norm.weight", ones()], ["output.weight", matrix(tokens.length, width, 0.3)]);
  return file(metadata, tensors);
}

interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function file(metadata: readonly [string, GgufValue][], tensors: readonly [string, Tensor][]): Uint8Array {
  const front = writeGgufHeader({
    metadata,
    tensors: tensors.map(([name, { shape }]) => ({ name, shape, type: "F32" })),
  });
  const data = tensors.flatMap(([, { values }]) => [
    new Uint8Array(values.buffer),
    new Uint8Array(paddingBytes(values.byteLength)),
  ]);
  return Buffer.concat([front.bytes, ...data]);
}

const text = (value: string): GgufValue => ({ type: "string", value });
const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
const bool = (value: boolean): GgufValue => ({ type: "bool", value });

/** Marsaglia's xorshift32, then Box and Muller. */
function gaussians(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  const uniform = (): number => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state + 1) / 4_294_967_297;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
