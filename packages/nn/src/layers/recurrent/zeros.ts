import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

/** Zeros [batch, size] for the samples of a value [steps, batch, ...]: a constant where the batch is known. */
export function zerosPerSample(math: GraphMath, sequence: Value, size: number): Value {
  const [, batch] = sequence.shape;
  if (typeof batch === "number") return math.filled([batch, size], 0, sequence.dtype);
  const { builder } = math;
  const count = math.slice(builder.op("Shape", [sequence]), [0], [1], [2]);
  return builder.op("Expand", [math.scalar(0, sequence), math.concat([count, builder.ints(size)], 0)]);
}
