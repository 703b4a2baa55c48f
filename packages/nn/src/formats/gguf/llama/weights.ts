/** @file Weights of a llama-style decoder as tensors of a file: names, shapes, and rows in llama.cpp's order. */
import type { GgufWritableType } from "../codec.ts";
import type { GgufTensor } from "../write.ts";
import type { FullDescription } from "./description.ts";

/** Numbers, or how to get them when they are written. Row-major. */
export type WeightSource = Float32Array | (() => Float32Array | Promise<Float32Array>);

/** Weights of one block. Matrices are [outputs, inputs]: a row makes one output (Keras' kernels lie the other way). */
export interface LlamaBlockWeights {
  /** Gain of the norm before attention, [width]. */
  readonly attentionNorm: WeightSource;
  /** [heads * headWidth, width], head after head */
  readonly query: WeightSource;
  /** [keyValueHeads * headWidth, width] */
  readonly key: WeightSource;
  /** [keyValueHeads * headWidth, width] */
  readonly value: WeightSource;
  /** [width, heads * headWidth] */
  readonly attentionOutput: WeightSource;
  /** Gain of the norm before the feed-forward part, [width]. */
  readonly feedForwardNorm: WeightSource;
  /** What goes through SiLU, [feedForwardWidth, width]. */
  readonly gate: WeightSource;
  /** What it is multiplied with, [feedForwardWidth, width]. */
  readonly up: WeightSource;
  /** [width, feedForwardWidth] */
  readonly down: WeightSource;
}

/** Weights of a decoder. */
export interface LlamaWeights {
  /** A row per token, [vocabularySize, width]. */
  readonly embedding: WeightSource;
  readonly blocks: readonly LlamaBlockWeights[];
  /** Gain of the last norm, [width]. */
  readonly outputNorm: WeightSource;
  /** [vocabularySize, width]; the embedding is used when not said. */
  readonly output?: WeightSource;
}

/** Types of a file's tensors. */
export interface TensorTypes {
  readonly matrices: GgufWritableType;
  /** Embedding and output, on which quality depends most. */
  readonly vocabulary: GgufWritableType;
}

type Part = readonly [weight: keyof LlamaBlockWeights, name: string, shape: (d: FullDescription) => readonly number[]];

/** Tensors of a block, in the file's order. */
const parts: readonly Part[] = [
  ["attentionNorm", "attn_norm", (d) => [d.width]],
  ["query", "attn_q", (d) => [d.heads * d.headWidth, d.width]],
  ["key", "attn_k", (d) => [d.keyValueHeads * d.headWidth, d.width]],
  ["value", "attn_v", (d) => [d.keyValueHeads * d.headWidth, d.width]],
  ["attentionOutput", "attn_output", (d) => [d.width, d.heads * d.headWidth]],
  ["feedForwardNorm", "ffn_norm", (d) => [d.width]],
  ["gate", "ffn_gate", (d) => [d.feedForwardWidth, d.width]],
  ["up", "ffn_up", (d) => [d.feedForwardWidth, d.width]],
  ["down", "ffn_down", (d) => [d.width, d.feedForwardWidth]],
];

/** Tensors of a decoder. Norms stay F32: they are small, and llama.cpp's kernels expect it. */
export function llamaTensors(description: FullDescription, weights: LlamaWeights, types: TensorTypes): GgufTensor[] {
  const table = [description.vocabularySize, description.width];
  const tensor = (
    name: string,
    shape: readonly number[],
    type: GgufWritableType,
    source: WeightSource,
  ): GgufTensor => ({
    name: `${name}.weight`,
    shape,
    type: shape.length === 1 ? "F32" : type,
    load: typeof source === "function" ? source : () => source,
  });
  return [
    tensor("token_embd", table, types.vocabulary, weights.embedding),
    ...weights.blocks.flatMap((block, i) =>
      parts.map(([weight, name, shape]) => {
        const made = tensor(`blk.${i}.${name}`, shape(description), types.matrices, block[weight]);
        return weight === "query" || weight === "key" ? turned(made, description) : made;
      }),
    ),
    tensor("output_norm", [description.width], "F32", weights.outputNorm),
    ...(weights.output === undefined ? [] : [tensor("output", table, types.vocabulary, weights.output)]),
  ];
}

function turned(tensor: GgufTensor, description: FullDescription): GgufTensor {
  if (description.ropeLayout === "interleaved") return tensor;
  return {
    ...tensor,
    load: async () => interleaveHeads(await tensor.load(), description.headWidth, description.width),
  };
}

/**
 * Rows of a query or key matrix from the layout "halves" to "interleaved": within each head, row i and row i + half come
 * to lie side by side. Scores are sums over a head's numbers, so that queries and keys moved alike give the same ones.
 * `matrix` is [heads * headWidth, inputs].
 */
export function interleaveHeads(matrix: Float32Array, headWidth: number, inputs: number): Float32Array {
  const half = headWidth / 2;
  return movedRows(matrix, headWidth, inputs, (row) => (row < half ? 2 * row : 2 * (row - half) + 1));
}

/** The way back, from "interleaved" to "halves". */
export function separateHeads(matrix: Float32Array, headWidth: number, inputs: number): Float32Array {
  const half = headWidth / 2;
  return movedRows(matrix, headWidth, inputs, (row) => (row % 2 === 0 ? row / 2 : half + (row - 1) / 2));
}

/** `place` gives the new place of a row within its head. */
function movedRows(
  matrix: Float32Array,
  headWidth: number,
  inputs: number,
  place: (row: number) => number,
): Float32Array {
  const moved = new Float32Array(matrix.length);
  for (let row = 0; row < matrix.length / inputs; row++) {
    const inHead = row % headWidth;
    const to = row - inHead + place(inHead);
    moved.set(matrix.subarray(row * inputs, (row + 1) * inputs), to * inputs);
  }
  return moved;
}
