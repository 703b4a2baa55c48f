/** @file Losses of how little two masses overlap: for segmentation, where most of an image is nothing. */
import { ShapeError, type Value } from "@gristmill/onnx";
import { listOf, numberWhere, optional } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { type Loss, likelyLikeOutput, type Prediction, probabilityMargin } from "./loss.ts";

const isAxes = (axes: readonly number[]): boolean =>
  axes.length > 0 && axes.every((axis) => Number.isInteger(axis) && axis >= 1) && new Set(axes).size === axes.length;

const axis = optional(listOf("axes from 1, each once, such as [1, 2, 3]", isAxes));

/** Sums by which an overlap is measured: of target * output, of the target, of the output. */
interface Masses {
  readonly shared: Value;
  readonly target: Value;
  readonly output: Value;
}

/** Over the axes, or all of them and the batch; steps that the mask drops weigh nothing. */
function massesOf({ math, output, target, mask }: Prediction, axes: readonly number[] | null): Masses {
  const over = axes ?? output.shape.map((_, i) => i);
  const sum = (value: Value): Value => math.sum(value, over);
  const kept = (value: Value): Value => {
    if (mask === undefined) return value;
    const missing = Array.from({ length: value.shape.length - mask.shape.length }, (_, i) => mask.shape.length + i);
    return math.where(math.builder.op("Unsqueeze", [mask, math.builder.ints(...missing)]), value, 0);
  };
  const [t, p] = [kept(target), kept(output)];
  return { shared: sum(math.mul(t, p)), target: sum(t), output: sum(p) };
}

const overlapLoss = (axes: readonly number[] | null, of: (prediction: Prediction) => Value): Loss => ({
  target(outputShape) {
    if (axes?.some((axis) => axis > outputShape.length))
      throw new ShapeError(
        "loss",
        `expected axes from 1 to ${outputShape.length} of answers [${["batch", ...outputShape].join(", ")}], received axis [${axes.join(", ")}]`,
      );
    return { ...likelyLikeOutput(outputShape), lossShape: [] };
  },
  perAnswer: of,
  usesMask: true,
  accuracy: () => "binary",
});

/**
 * `1 - 2 sum(target * output) / (sum(target) + sum(output))`.
 *
 * - Shapes: output and target [batch, ...], from 0 to 1 → one number of all samples together, or with `axis`, such as
 *   [1, 2, 3], one for each sample (and each axis that is left out).
 * - Defaults: `axis` null. A mask drops steps from all sums. 1e-7 keeps the denominator from 0.
 * - Source: Milletari and others 2016, arXiv:1606.04797.
 */
export const dice = defineKind("dice", { axis }, ({ axis }) =>
  overlapLoss(axis, (prediction) => {
    const { math } = prediction;
    const { shared, target, output } = massesOf(prediction, axis);
    const all = math.add(math.add(target, output), probabilityMargin);
    return math.sub(1, math.div(math.mul(shared, 2), all));
  }),
);

const weight = () => numberWhere("a number from 0", (value) => value >= 0, 0.5);

/**
 * `1 - S / (S + alpha M + beta F)`: S what target and output share, M what of the target is missed, F what is found falsely.
 *
 * - Shapes and `axis` as `dice`, which it is with both weights 0.5, the defaults.
 * - Source: Salehi and others 2017, arXiv:1706.05721. There alpha weighs F and beta M; here it is as Keras computes it.
 */
export const tversky = defineKind("tversky", { alpha: weight(), beta: weight(), axis }, ({ alpha, beta, axis }) =>
  overlapLoss(axis, (prediction) => {
    const { math } = prediction;
    const { shared, target, output } = massesOf(prediction, axis);
    const missed = math.mul(math.sub(target, shared), alpha);
    const falsely = math.mul(math.sub(output, shared), beta);
    const all = math.add(math.add(shared, math.add(missed, falsely)), probabilityMargin);
    return math.sub(1, math.div(shared, all));
  }),
);
