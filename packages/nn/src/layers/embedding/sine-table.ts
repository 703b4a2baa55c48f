import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { pairFrequencies, stepAngles } from "./step-angles.ts";

/**
 * Positions as sines (even columns) and cosines (odd columns) of wavelengths from 2π to 2π · `maxWavelength`.
 *
 * - Shapes: `like` [batch, steps, width] → [steps, width], of its element type.
 */
export function sineTable(math: GraphMath, like: Value, width: number, maxWavelength: number): Value {
  const { builder } = math;
  const angles = stepAngles(math, like, pairFrequencies(width, maxWavelength)); // [steps, pairs]
  const pairs = math.concat(
    [builder.op("Sin", [angles]), builder.op("Cos", [angles])].map((half) =>
      builder.op("Unsqueeze", [half, builder.ints(2)]),
    ),
    2,
  ); // [steps, pairs, 2]
  const even = 2 * Math.ceil(width / 2);
  const table = math.cast(math.reshape(pairs, [0, even]), like.dtype);
  return even === width ? table : math.slice(table, [1], [0], [width]);
}
