import { ShapeError } from "@gristmill/onnx";
import type { Field } from "../../schema/field.ts";
import { shown } from "../../schema/problems.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample, type SampleShape } from "../shape.ts";

const expected = "every axis of a sample once, counted from 1, such as [2, 1]";

const orderField = (): Field<readonly number[]> => ({
  expected,
  read(value, where, problems) {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    const isOrder = list.length <= 8 && list.every((_, i) => list.includes(i + 1));
    if (list.length > 0 && isOrder) return list.map(Number);
    problems.add(where, `expected ${expected}, received ${shown(value)}`);
    return undefined;
  },
});

const moved = (dims: readonly number[], input: SampleShape): SampleShape => dims.map((axis) => input[axis - 1] ?? null);

/** The table's entry of `permute`. */
export const permuteKind = defineLayer({
  type: "permute",
  fields: { dims: orderField() },
  outputShape({ dims }, input, where) {
    if (dims.length !== input.length)
      throw new ShapeError(where, `expected samples of ${dims.length} axes, received ${formatSample(input)}`);
    return moved(dims, input);
  },
  build({ dims }, { math }, input) {
    const { value, shape } = toPlain(math, input);
    return plain(math.transpose(value, [0, ...dims]), moved(dims, shape));
  },
});

/**
 * Axes of a sample in another order: axis i of the answer is axis `dims[i]` of what enters, counted from 1.
 *
 * - Shapes: x [batch, a, b] → y [batch, b, a] with `dims` [2, 1].
 * - ONNX: Transpose.
 */
export const permute = (dims: readonly number[], options: CommonOptions = {}): Layer =>
  permuteKind.make({ dims, ...options });
