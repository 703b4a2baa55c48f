/** @file What the layers of positions share: samples are sequences of vectors. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { formatSample, knownSize, type SampleShape } from "../shape.ts";

/** The shape, if it is one of [steps, width]. @throws ShapeError otherwise */
export function sequenceShape(input: SampleShape, where: string): SampleShape {
  if (input.length !== 2)
    throw new ShapeError(where, `expected samples of [steps, width], received ${formatSample(input)}`);
  knownSize(input, -1, where);
  return input;
}

/** The same for a table of so many rows. @throws ShapeError when the sequence is longer */
export function withinTable(input: SampleShape, rows: number, setting: string, where: string): SampleShape {
  const [steps = null] = input;
  if (steps !== null && steps > rows)
    throw new ShapeError(
      where,
      `expected at most ${rows} steps, which ${setting} says, received ${formatSample(input)}`,
    );
  return input;
}

/** The first rows of a table, one for each step of a value [batch, steps, ...]. */
export function firstRows(math: GraphMath, table: Value, like: Value): Value {
  const [, steps] = like.shape;
  if (typeof steps === "number") return steps === table.shape[0] ? table : math.slice(table, [0], [0], [steps]);
  const { builder } = math;
  const count = builder.op("Shape", [like], { start: 1, end: 2 });
  return builder.op("Slice", [table, builder.ints(0), count, builder.ints(0)]);
}

/** [steps, width] for every sample of a value [batch, steps, width]. */
export const overBatch = (math: GraphMath, rows: Value, like: Value): Value =>
  math.builder.op("Expand", [rows, math.builder.op("Shape", [like])]);
