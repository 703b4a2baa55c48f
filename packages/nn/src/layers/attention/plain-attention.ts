/** @file What Keras' two attentions without projections share: inputs, masks, and how scores become a mean of values. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { CommonOptions, LayerScope } from "../layer.ts";
import { formatSample, knownSize, type SampleShape } from "../shape.ts";
import { dropped } from "./attend.ts";
import { keyMask, scoreBias } from "./score-bias.ts";

/** Settings that both take. */
export interface PlainAttentionOptions extends CommonOptions {
  /** True: the scores have a weight that is learned. */
  readonly useScale?: boolean;
  /** Share of the attention weights that is dropped while training. */
  readonly dropout?: number;
  /** True: a step looks at itself and those before it alone. */
  readonly useCausalMask?: boolean;
}

/** Inputs by name: (query, value) or (query, value, key). */
function named<T>([query, value, key = value]: readonly T[]): { query: T; value: T; key: T } {
  if (query === undefined || value === undefined || key === undefined) throw new Error("attention: nothing was given");
  return { query, value, key };
}

/** @throws ShapeError unless all are [steps, width] that go together */
export function plainAttentionShape(inputs: readonly SampleShape[], where: string): SampleShape {
  const { query, value, key } = named(inputs);
  for (const shape of [query, value, key])
    if (shape.length !== 2)
      throw new ShapeError(where, `expected samples of [steps, width], received ${formatSample(shape)}`);
  if (knownSize(query, -1, where) !== knownSize(key, -1, where))
    throw new ShapeError(
      where,
      `expected queries and keys of one width, received ${formatSample(query)} and ${formatSample(key)}; put a dense layer before one of them`,
    );
  if (value[0] !== key[0])
    throw new ShapeError(
      where,
      `expected as many keys as values, received ${formatSample(key)} and ${formatSample(value)}`,
    );
  return [query[0] ?? null, value.at(-1) ?? null];
}

/** Writes the attention; `score` makes [batch, queries, keys] of query and key. */
export function buildPlainAttention(
  { dropout, useCausalMask }: { readonly dropout: number; readonly useCausalMask: boolean },
  scope: LayerScope,
  inputs: readonly Features[],
  score: (query: Value, key: Value) => Value,
): Features {
  const { math } = scope;
  const { builder } = math;
  const { query, value, key } = named(inputs.map((one) => toPlain(math, one)));
  const scores = score(query.value, key.value);
  const bars = { keys: keyMask(math, key, value), isCausal: useCausalMask };
  const bias = scoreBias(math, bars, query.value, key.value);
  const flat = (one: Value): Value => builder.op("Squeeze", [one, builder.ints(1)]); // no axis of heads here
  const barred = bias === undefined ? scores : math.add(scores, flat(bias.added));
  const weights = dropped(scope, builder.op("Softmax", [barred], { axis: -1 }), dropout);
  const mixed = builder.op("MatMul", [weights, value.value]); // [batch, queries, value width]
  const seen = bias?.sees === undefined ? mixed : math.mul(mixed, flat(bias.sees));
  return plain(asked(math, seen, query), [query.shape[0] ?? null, value.shape.at(-1) ?? null], query.mask);
}

/** Keras: a query that is padding gets 0. */
function asked(math: GraphMath, answer: Value, { mask }: Features): Value {
  if (mask === undefined) return answer;
  return math.mul(answer, math.builder.op("Unsqueeze", [math.cast(mask, answer.dtype), math.builder.ints(2)]));
}
