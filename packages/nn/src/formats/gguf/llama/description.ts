/**
 * @file A llama-style decoder (RMS norm, rotary positions, grouped-query attention, SwiGLU) as llama.cpp names its sizes.
 * Source: ggml's docs/gguf.md, "LLM", and llama.cpp's src/llama-arch.cpp for architecture "llama".
 */
import type { GgufValue } from "@gristmill/gguf";
import type { Problem } from "../../../errors.ts";
import { SpecError } from "../../../errors.ts";
import type { GgufWritableType } from "../codec.ts";

/** Sizes and constants of a decoder. */
export interface LlamaDescription {
  /** For people; any text. */
  readonly name: string;
  readonly vocabularySize: number;
  /** Most positions that it was trained for. */
  readonly contextLength: number;
  /** Length of a token's vector. */
  readonly width: number;
  readonly blocks: number;
  /** Length of the vectors inside the feed-forward part. */
  readonly feedForwardWidth: number;
  readonly heads: number;
  /** Heads of keys and values, which groups of query heads share; `heads` when not said. */
  readonly keyValueHeads?: number;
  /** Length of a head's vectors; width / heads when not said. */
  readonly headWidth?: number;
  /** Base of the rotation's angles; 10,000 when not said. */
  readonly ropeBase?: number;
  /** Positions are divided by it (position interpolation, arXiv:2306.15595); 1 when not said. */
  readonly ropeScaling?: number;
  /**
   * Which numbers of a head are rotated together: "interleaved" turns neighbours (0 and 1, 2 and 3: the paper and
   * llama.cpp), "halves" turns number i with number i + headWidth / 2 (GPT-NeoX, and most of today's training code).
   */
  readonly ropeLayout: "interleaved" | "halves";
  /** Added to the mean square in RMS norms. */
  readonly normEpsilon: number;
}

/** A description with everything said. */
export type FullDescription = Required<LlamaDescription>;

/** @throws SpecError that lists every size that does not fit. */
export function fullDescription(given: LlamaDescription): FullDescription {
  const full: FullDescription = {
    keyValueHeads: given.heads,
    headWidth: given.width / given.heads,
    ropeBase: 10_000,
    ropeScaling: 1,
    ...given,
  };
  const problems: Problem[] = [];
  const counts = [
    "vocabularySize",
    "contextLength",
    "width",
    "blocks",
    "feedForwardWidth",
    "heads",
    "keyValueHeads",
    "headWidth",
  ] as const;
  for (const name of counts)
    if (!Number.isSafeInteger(full[name]) || full[name] < 1 || full[name] > 2 ** 31 - 1)
      problems.push({
        where: `llama.${name}`,
        message: `expected a whole number from 1, received ${full[name]}${name === "headWidth" && given.headWidth === undefined ? " (width / heads)" : ""}`,
      });
  if (full.heads % full.keyValueHeads !== 0)
    problems.push({
      where: "llama.keyValueHeads",
      message: `expected a divisor of heads, ${full.heads}, received ${full.keyValueHeads}`,
    });
  if (full.headWidth % 2 !== 0)
    problems.push({
      where: "llama.headWidth",
      message: `expected an even number, as rotation takes pairs, received ${full.headWidth}`,
    });
  for (const name of ["ropeBase", "ropeScaling", "normEpsilon"] as const)
    if (!(full[name] > 0 && Number.isFinite(full[name])))
      problems.push({ where: `llama.${name}`, message: `expected a number above 0, received ${full[name]}` });
  if (full.ropeLayout !== "interleaved" && full.ropeLayout !== "halves")
    problems.push({
      where: "llama.ropeLayout",
      message: `expected "interleaved" or "halves", received ${JSON.stringify(full.ropeLayout)}`,
    });
  if (problems.length > 0) throw new SpecError(problems);
  return full;
}

/** `llama_ftype` of llama.h: what most of a file's matrices are. */
const fileTypes: Readonly<Record<GgufWritableType, number>> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, BF16: 32 };

/** Metadata of a decoder, in the order in which llama.cpp's converter writes it. */
export function descriptionMetadata(full: FullDescription, type: GgufWritableType): [string, GgufValue][] {
  const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
  const float32 = (value: number): GgufValue => ({ type: "float32", value });
  return [
    ["general.architecture", { type: "string", value: "llama" }],
    ["general.type", { type: "string", value: "model" }],
    ["general.name", { type: "string", value: full.name }],
    ["llama.block_count", uint32(full.blocks)],
    ["llama.context_length", uint32(full.contextLength)],
    ["llama.embedding_length", uint32(full.width)],
    ["llama.feed_forward_length", uint32(full.feedForwardWidth)],
    ["llama.attention.head_count", uint32(full.heads)],
    ["llama.attention.head_count_kv", uint32(full.keyValueHeads)],
    ["llama.attention.key_length", uint32(full.headWidth)],
    ["llama.attention.value_length", uint32(full.headWidth)],
    ["llama.attention.layer_norm_rms_epsilon", float32(full.normEpsilon)],
    ["llama.rope.freq_base", float32(full.ropeBase)],
    ["llama.rope.dimension_count", uint32(full.headWidth)],
    ...(full.ropeScaling === 1 ? [] : scaling(full.ropeScaling)),
    ["llama.vocab_size", uint32(full.vocabularySize)],
    ["general.file_type", uint32(fileTypes[type])],
    ["general.quantization_version", uint32(2)],
  ];
}

const scaling = (factor: number): [string, GgufValue][] => [
  ["llama.rope.scaling.type", { type: "string", value: "linear" }],
  ["llama.rope.scaling.factor", { type: "float32", value: factor }],
];
