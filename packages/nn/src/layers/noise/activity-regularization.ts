import type { Value } from "@gristmill/onnx";
import { numberWhere } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

const factor = numberWhere("a number from 0", (value) => value >= 0, 0);

/** The table's entry of `activityRegularization`. */
export const activityRegularizationKind = defineLayer({
  type: "activityRegularization",
  fields: { l1: factor, l2: factor },
  mask: "passes",
  outputShape: (_, input) => input,
  build({ l1, l2 }, { math, addLoss }, input) {
    const x = input.value;
    const all = x.shape.map((_, axis) => axis);
    const sum = (value: Value): Value => math.sum(value, all);
    if (l1 > 0) addLoss(math.mul(sum(math.builder.op("Abs", [x])), l1));
    if (l2 > 0) addLoss(math.mul(sum(math.mul(x, x)), l2));
    return input;
  },
});

/** Settings of `activityRegularization`. */
export interface ActivityRegularizationOptions extends CommonOptions {
  readonly l1?: number;
  readonly l2?: number;
}

/**
 * Hands on what enters, and adds `l1 * sum(|x|) + l2 * sum(x²)` over the whole batch to what is trained for.
 *
 * - Shapes: as it enters. Defaults: `l1` and `l2` 0. Masks: handed on; padding counts in the sum, as in Keras.
 * - ONNX: Abs, Mul, ReduceSum; absent from exported models.
 */
export const activityRegularization = (options: ActivityRegularizationOptions = {}): Layer =>
  activityRegularizationKind.make({ ...options });
