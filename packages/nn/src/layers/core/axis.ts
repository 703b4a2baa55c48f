/** @file Axes as Keras counts them: 0 is the batch, 1 the first axis of a sample, -1 the last; and where a value keeps them. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type Field, numberWhere } from "../../schema/field.ts";
import { shown } from "../../schema/problems.ts";
import type { Features, Layout } from "../features.ts";
import { formatSample, type SampleShape } from "../shape.ts";

const expected = "a whole number other than 0: 1 for the first axis behind the batch, -1 for the last";
const isAxis = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value !== 0 && Math.abs(value) <= 8;

/** Reads one axis. The batch has none: samples never look at each other. */
export const axisField = (fallback?: number): Field<number> => numberWhere(expected, isAxis, fallback);

/** Reads one axis or a list of them; it is kept as a list. `least` 0 allows none. */
export const axesField = (fallback?: readonly number[], least = 1): Field<readonly number[]> => ({
  expected: `${expected}; or a list of such`,
  ...(fallback === undefined ? {} : { fallback }),
  read(value, where, problems) {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length >= least && list.length <= 8 && list.every(isAxis)) return [...list];
    problems.add(where, `expected ${expected}; or a list of such, received ${shown(value)}`);
    return undefined;
  },
});

/** The axis of a sample, counted from 0. @throws ShapeError when samples have no such axis. */
export function sampleAxis(axis: number, input: SampleShape, where: string): number {
  const found = axis < 0 ? input.length + axis : axis - 1;
  if (found >= 0 && found < input.length) return found;
  throw new ShapeError(
    where,
    `expected samples that have axis ${axis} (1 is the first behind the batch), received ${formatSample(input)}`,
  );
}

/** The axes of a sample in rising order, counted from 0, each once. @throws ShapeError */
export const sampleAxes = (axes: readonly number[], input: SampleShape, where: string): number[] =>
  [...new Set(axes.map((axis) => sampleAxis(axis, input, where)))].sort((a, b) => a - b);

/** Which axis of a value keeps axis `axis` of a sample. */
export function keptAxis(layout: Layout, axis: number, rank: number): number {
  if (layout.kind !== "channelsFirst") return axis + 1;
  return axis === rank - 1 ? 1 : axis + 2;
}

/** A value [batch, steps] with axes of size 1, so that it goes with features of these sizes, as they are kept. */
export function alongSteps(math: GraphMath, steps: Value, { shape, layout }: Features): Value {
  const place = keptAxis(layout, 0, shape.length);
  const axes = Array.from({ length: shape.length + 1 }, (_, axis) => axis).filter(
    (axis) => axis !== 0 && axis !== place,
  );
  return axes.length === 0 ? steps : math.builder.op("Unsqueeze", [steps, math.builder.ints(...axes)]);
}
