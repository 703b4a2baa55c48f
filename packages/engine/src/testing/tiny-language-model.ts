/**
 * @file A language model for tests: a llama-style decoder with random weights, made in a moment, the same each time.
 * Source of names and layout: ggml's docs/gguf.md.
 */

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
const type = { uint32: 4, float32: 6, bool: 7, string: 8, array: 9 };
const [normal, unknown, control, byte] = [1, 2, 3, 6];

/** The bytes of a GGUF file; about 0.5 MB. */
export function tinyLanguageModel(options: TinyLanguageModel = {}): Uint8Array {
  const random = gaussians(options.seed ?? 1);
  const tokens = ["<unk>", "<s>", "</s>", ...byteNames, ...words, ...(options.words ?? [])];
  const types = tokens.map((token, id) =>
    id === 0 ? unknown : id < 3 || token.startsWith("<|") ? control : id < 259 ? byte : normal,
  );
  const template = options.chatTemplate;
  const metadata: [string, number, Buffer][] = [
    ["general.architecture", type.string, text("llama")],
    ["llama.context_length", type.uint32, uint32(options.contextLength ?? 512)],
    ["llama.embedding_length", type.uint32, uint32(width)],
    ["llama.block_count", type.uint32, uint32(blocks)],
    ["llama.feed_forward_length", type.uint32, uint32(feedForward)],
    ["llama.attention.head_count", type.uint32, uint32(heads)],
    ["llama.attention.head_count_kv", type.uint32, uint32(keyValueHeads)],
    ["llama.attention.layer_norm_rms_epsilon", type.float32, float32(1e-5)],
    ["llama.attention.causal", type.bool, Buffer.of(options.causal === false ? 0 : 1)],
    ["llama.rope.dimension_count", type.uint32, uint32(width / heads)],
    ["llama.vocab_size", type.uint32, uint32(tokens.length)],
    ["tokenizer.ggml.model", type.string, text("llama")],
    ["tokenizer.ggml.tokens", type.array, list(type.string, tokens.map(text))],
    [
      "tokenizer.ggml.scores",
      type.array,
      list(
        type.float32,
        tokens.map((token) => float32(token.length)),
      ),
    ],
    [
      "tokenizer.ggml.token_type",
      type.array,
      list(
        5,
        types.map((value) => uint32(value ?? 1)),
      ),
    ],
    ["tokenizer.ggml.bos_token_id", type.uint32, uint32(tinyTokens.begin)],
    ["tokenizer.ggml.eos_token_id", type.uint32, uint32(tinyTokens.end)],
    ["tokenizer.ggml.unknown_token_id", type.uint32, uint32(0)],
    ["tokenizer.ggml.add_bos_token", type.bool, Buffer.of(1)],
    ["tokenizer.ggml.add_space_prefix", type.bool, Buffer.of(0)],
    ...(template === undefined
      ? []
      : [["tokenizer.chat_template", type.string, text(template)] satisfies [string, number, Buffer]]),
  ];
  const matrix = (rows: number, columns: number, deviation: number): Tensor => ({
    shape: [columns, rows],
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

function file(metadata: readonly [string, number, Buffer][], tensors: readonly [string, Tensor][]): Uint8Array {
  let offset = 0;
  const infos = tensors.map(([name, { shape, values }]) => {
    const info = [text(name), uint32(shape.length), ...shape.map(uint64), uint32(0), uint64(offset)];
    offset += aligned(values.byteLength);
    return Buffer.concat(info);
  });
  const front = Buffer.concat([
    Buffer.from("GGUF"),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.length),
    ...metadata.flatMap(([key, kind, value]) => [text(key), uint32(kind), value]),
    ...infos,
  ]);
  const padded = (bytes: Uint8Array): Uint8Array[] => [bytes, new Uint8Array(aligned(bytes.length) - bytes.length)];
  const data = tensors.flatMap(([, { values }]) => padded(new Uint8Array(values.buffer)));
  return Buffer.concat([...padded(front), ...data]);
}

const aligned = (length: number): number => Math.ceil(length / 32) * 32;
const byteNames = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);

function list(of: number, values: readonly Buffer[]): Buffer {
  return Buffer.concat([uint32(of), uint64(values.length), ...values]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

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
