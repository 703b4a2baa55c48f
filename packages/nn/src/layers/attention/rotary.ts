/** @file Rotary positions: pairs of a head's numbers are turned by an angle that grows with the step (Su et al. 2021). */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type Field, flag, type Json, positive, readFields } from "../../schema/field.ts";
import { dropUndefined } from "../../schema/kind.ts";
import { isRecord, shown } from "../../schema/problems.ts";
import { pairFrequencies, stepAngles } from "../embedding/step-angles.ts";

/** How positions turn. */
export interface Rotary {
  /** The slowest pair turns once in 2π · base steps. */
  readonly base: number;
  /** Steps are divided by it: 2 doubles the length that a trained model can take. */
  readonly scaling: number;
  /** Pairs are numbers 2i and 2i + 1, as in the paper; else i and i + half, as in most published weights. */
  readonly interleaved: boolean;
}

/** The settings of rotary positions, with the defaults of the paper. */
export const rotaryFields = { base: positive(10_000), scaling: positive(1), interleaved: flag(false) };

/** A setting that is null for none, or an object of `base`, `scaling` and `interleaved`. */
export const rotaryField = (): Field<(Rotary & { readonly [key: string]: Json }) | null> => ({
  expected: "null for none, or {base, scaling, interleaved}, each of which may be left out",
  fallback: null,
  read(value, where, problems) {
    if (value === null) return null;
    if (isRecord(value)) return readFields(rotaryFields, dropUndefined(value), where, problems);
    problems.add(where, `expected null, or {base, scaling, interleaved}, received ${shown(value)}`);
    return undefined;
  },
});

/** The cosine and sine of each step and pair: [steps, pairs]. */
export interface Turn {
  readonly cos: Value;
  readonly sin: Value;
}

/** Cosines and sines for heads of a size; `like` is [batch, steps, ...], and its element type theirs. */
export function rotaryTable(math: GraphMath, like: Value, size: number, { base, scaling }: Rotary): Turn {
  const angles = stepAngles(math, like, pairFrequencies(size, base), scaling);
  const table = (operator: "Cos" | "Sin"): Value => math.cast(math.builder.op(operator, [angles]), like.dtype);
  return { cos: table("Cos"), sin: table("Sin") };
}

/**
 * Turns the pairs (a, b) of each head to (a cos - b sin, a sin + b cos). `x` [batch, ..., steps, size], size even. Steps
 * stand beside the pairs, as in the table: so it is multiplied in long runs.
 */
export function rotate(math: GraphMath, x: Value, size: number, { cos, sin }: Turn, interleaved: boolean): Value {
  const { builder } = math;
  const half = size / 2;
  const outer = x.shape.slice(0, -1).map(() => 0); // as they are
  const pairs = interleaved ? math.reshape(x, [...outer, half, 2]) : x;
  const parts = builder.ops(
    "Split",
    [pairs, interleaved ? builder.ints(1, 1) : builder.ints(half, half)],
    { axis: -1 },
    2,
  );
  const [a, b] = parts.map((part) => (interleaved ? math.reshape(part, [...outer, half]) : part));
  if (a === undefined || b === undefined) throw new Error("rotate: a head has no halves");
  const turned = [math.sub(math.mul(a, cos), math.mul(b, sin)), math.add(math.mul(a, sin), math.mul(b, cos))];
  if (!interleaved) return math.concat(turned, -1);
  const columns = turned.map((one) => builder.op("Unsqueeze", [one, builder.ints(-1)]));
  return math.reshape(math.concat(columns, -1), [...outer, size]);
}
