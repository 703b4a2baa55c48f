import { ShapeError } from "@gristmill/onnx";
import { countOf } from "../../initializers/initializer.ts";
import type { Field } from "../../schema/field.ts";
import { shown } from "../../schema/problems.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample, type SampleShape } from "../shape.ts";

const expected = "sizes of one sample's axes, such as [7, 7, 64]; one of them may be -1, which follows from the others";
const isSize = (size: unknown): size is number =>
  typeof size === "number" && Number.isInteger(size) && size >= 1 && size < 2 ** 31;

const targetField = (): Field<readonly number[]> => ({
  expected,
  read(value, where, problems) {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    const isGood = Array.isArray(value) && list.length <= 8 && list.filter((size) => size === -1).length <= 1;
    if (isGood && list.every((size): size is number => size === -1 || isSize(size))) return [...list];
    problems.add(where, `expected ${expected}, received ${shown(value)}`);
    return undefined;
  },
});

function reshaped(target: readonly number[], input: SampleShape, where: string): SampleShape {
  const count = input.includes(null) ? undefined : countOf(input.map(Number));
  const others = countOf(target.filter((size) => size !== -1));
  const isOpen = target.includes(-1);
  if (count === undefined && isOpen) return target.map((size) => (size === -1 ? null : size));
  if (count === undefined || (isOpen ? count % others !== 0 : count !== others))
    throw new ShapeError(
      where,
      `expected a targetShape ${isOpen ? "whose known sizes divide" : "of"} the ${count ?? "unknown number of"} elements of ${formatSample(input)}, received [${target.join(", ")}]`,
    );
  return target.map((size) => (size === -1 ? count / others : size));
}

/** The table's entry of `reshape`. */
export const reshapeKind = defineLayer({
  type: "reshape",
  fields: { targetShape: targetField() },
  outputShape: ({ targetShape }, input, where) => reshaped(targetShape, input, where),
  build({ targetShape }, { math, path }, input) {
    const { value, shape } = toPlain(math, input);
    return plain(math.reshape(value, [0, ...targetShape]), reshaped(targetShape, shape, path));
  },
});

/**
 * The same elements with other axes: [batch, ...] → [batch, ...targetShape].
 *
 * - Range: one size of `targetShape` may be -1 and follows from the others.
 * - Errors: ShapeError when the elements do not come out even.
 * - ONNX: Reshape.
 */
export const reshape = (targetShape: readonly number[], options: CommonOptions = {}): Layer =>
  reshapeKind.make({ targetShape, ...options });
