/** @file Angles that turn with the steps of a sequence: what sinusoidal and rotary positions are made of. */
import { tensor, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

/**
 * `(step / scaling) * frequency` for every step of a sequence and each frequency, in float64: float32 is off by 1e-4 from
 * step 2,000 on. Written as operators even where the steps are known: the runtime computes them once, when it loads the
 * graph, and the file stays small.
 *
 * - Shapes: `like` [batch, steps, ...] → [steps, frequencies].
 */
export function stepAngles(math: GraphMath, like: Value, frequencies: readonly number[], scaling = 1): Value {
  const { builder } = math;
  const [, steps] = like.shape;
  const count =
    typeof steps === "number"
      ? builder.scalar(steps, "float64")
      : math.cast(builder.op("Squeeze", [builder.op("Shape", [like], { start: 1, end: 2 })]), "float64");
  const places = builder.op("Range", [builder.scalar(0, "float64"), count, builder.scalar(1, "float64")]);
  const column = builder.op("Unsqueeze", [places, builder.ints(1)]);
  const turns = Float64Array.from(frequencies, (frequency) => frequency / scaling);
  return math.mul(column, builder.constant(tensor("float64", [1, turns.length], turns)));
}

/** `base^(-2 i / width)` for the pairs of columns i of a width: Vaswani et al. 2017, section 3.5; Su et al. 2021. */
export const pairFrequencies = (width: number, base: number): number[] =>
  Array.from({ length: Math.ceil(width / 2) }, (_, i) => base ** ((-2 * i) / width));
