import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { flag } from "../../schema/field.ts";
import { axesField, sampleAxis } from "../core/axis.ts";
import { defineManyLayer } from "../define-layer.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { unitLength } from "../normalization/unit-length.ts";
import { formatSample, knownShape, type SampleShape } from "../shape.ts";

/** Which axis of each of two samples is summed over, from 0. */
function summedAxes(
  axes: readonly number[],
  [a = [], b = []]: readonly SampleShape[],
  where: string,
): [number, number] {
  const [first = -1, second = first] = axes;
  const [left, right] = [sampleAxis(first, a, where), sampleAxis(second, b, where)];
  if (a[left] !== b[right])
    throw new ShapeError(
      where,
      `expected the same size on axis ${first} of the first and ${second} of the second input, received ${formatSample(a)} and ${formatSample(b)}`,
    );
  return [left, right];
}

const without = (shape: SampleShape, axis: number): SampleShape => shape.filter((_, i) => i !== axis);

function dotShape(axes: readonly number[], inputs: readonly SampleShape[], where: string): SampleShape {
  const [left, right] = summedAxes(axes, inputs, where);
  const [a = [], b = []] = inputs;
  const shape = [...without(a, left), ...without(b, right)];
  return shape.length === 0 ? [1] : shape;
}

/** A sample as a matrix: [batch, others, summed]. Its other axes are one, in their order. */
function asRows(math: GraphMath, { value, shape }: Features, axis: number, where: string): Value {
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  const turned = math.transpose(value, [0, ...others.map((i) => i + 1), axis + 1]);
  if (others.length === 1) return turned;
  const sizes = knownShape(without(shape, axis), where);
  return math.reshape(turned, [
    0,
    sizes.reduce((product, size) => product * size, 1),
    knownShape([shape[axis] ?? null], where)[0] ?? 1,
  ]);
}

/** The table's entry of `dot`. */
export const dotKind = defineManyLayer({
  type: "dot",
  fields: { axes: axesField(), normalize: flag(false) },
  inputs: [2, 2],
  check({ axes }, where, problems) {
    if (axes.length > 2)
      problems.add(`${where}.axes`, `expected one axis, or one for each of two inputs, received ${axes.length}`);
  },
  outputShapes: ({ axes }, inputs, where) => [dotShape(axes, inputs, where)],
  build({ axes, normalize }, { math, path }, inputs) {
    if (inputs.some(({ mask }) => mask !== undefined))
      throw new ShapeError(
        path,
        "expected samples without a mask, received one of [batch, steps]: dot would count padding as data; use attention, which reads masks",
      );
    const shapes = inputs.map(({ shape }) => shape);
    const summed = summedAxes(axes, shapes, path);
    const [a, b] = inputs.map((one, i) => {
      const rows = asRows(math, toPlain(math, one), summed[i] ?? 0, path);
      return normalize ? unitLength(math, rows, [2]) : rows;
    });
    if (a === undefined || b === undefined) throw new Error(`${path}: built without its inputs`);
    const product = math.builder.op("MatMul", [a, math.transpose(b, [0, 2, 1])]); // [batch, others of a, others of b]
    const shape = dotShape(axes, shapes, path);
    const isMatrix = shapes.every((one) => one.length === 2);
    return [plain(isMatrix ? product : math.reshape(product, [0, ...knownShape(shape, path)]), shape)];
  },
});

/** Settings of `dot`. */
export interface DotOptions extends CommonOptions {
  /** True: cosine similarity. */
  readonly normalize?: boolean;
}

/**
 * Products of two inputs, summed over one axis of each: `dot(2).apply([x, y])`.
 *
 * - Shapes: x [batch, a, k], y [batch, b, k] with `axes` 2 (or [2, 2]) → [batch, a, b]; of vectors [batch, 1].
 * - Defaults: `normalize` false; true divides by lengths, for cosines.
 * - Masks: refused.
 * - ONNX: Transpose, MatMul.
 */
export const dot = (axes: number | readonly number[], options: DotOptions = {}): Layer =>
  dotKind.make({ axes, ...options });
