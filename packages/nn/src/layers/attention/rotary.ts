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

/** Cosines and sines of every step for the pairs of a head: both [steps, 1, pairs], of the element type of `like`. */
export function rotaryTable(math: GraphMath, like: Value, size: number, { base, scaling }: Rotary): Turn {
  const { builder } = math;
  const angles = stepAngles(math, like, pairFrequencies(size, base), scaling);
  const table = (operator: "Cos" | "Sin"): Value =>
    builder.op("Unsqueeze", [math.cast(builder.op(operator, [angles]), like.dtype), builder.ints(1)]);
  return { cos: table("Cos"), sin: table("Sin") };
}

/** The cosine and sine of each step and pair. */
export interface Turn {
  readonly cos: Value;
  readonly sin: Value;
}

/** Turns the pairs (a, b) of each head to (a cos - b sin, a sin + b cos). `x` [batch, steps, heads, size], size even. */
export function rotate(math: GraphMath, x: Value, size: number, { cos, sin }: Turn, interleaved: boolean): Value {
  const half = size / 2;
  const [a, b] = interleaved ? neighbours(math, x, half) : [part(math, x, 0, half), part(math, x, half, size)];
  const turned = [math.sub(math.mul(a, cos), math.mul(b, sin)), math.add(math.mul(a, sin), math.mul(b, cos))];
  if (!interleaved) return math.concat(turned, 3);
  const pairs = turned.map((one) => math.builder.op("Unsqueeze", [one, math.builder.ints(4)]));
  return math.reshape(math.concat(pairs, 4), [0, 0, 0, size]);
}

const part = (math: GraphMath, x: Value, start: number, end: number): Value => math.slice(x, [3], [start], [end]);

/** [batch, steps, heads, 2 half] → the even and the odd ones. */
function neighbours(math: GraphMath, x: Value, half: number): [Value, Value] {
  const { builder } = math;
  // two reshapes: a 0 copies the axis at its own place
  const pairs = math.reshape(x, [0, 0, -1, 2]); // [batch, steps, heads half, 2]
  const side = (at: number): Value =>
    math.reshape(builder.op("Slice", [pairs, builder.ints(at), builder.ints(at + 1), builder.ints(3)]), [
      0,
      0,
      -1,
      half,
    ]);
  return [side(0), side(1)];
}
