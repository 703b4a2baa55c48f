import type { Value } from "@gristmill/onnx";
import { numberWhere, optional } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { type Loss, lastMean, type Prediction } from "./loss.ts";
import { atLabels, classesOf, logProbabilities, probabilityFields } from "./probabilities.ts";

/**
 * Cross-entropy with labels: `-log(probability of the label)`.
 *
 * - Shapes: output [batch, ..., classes]; target int32 [batch, ...], from 0.
 * - Defaults: `fromLogits` false; `labelSmoothing` 0 (the share of each target that is spread evenly over the classes);
 *   `ignoreClass` null: answers with this label, a class or any other number such as -1, are neither summed nor counted.
 * - After a softmax, or with `fromLogits`, it works on the logits: `logsumexp(x) - x[label]`, stable for any x.
 * - ONNX: LogSoftmax, GatherElements, Neg.
 */
export const sparseCategoricalCrossentropy = defineKind(
  "sparseCategoricalCrossentropy",
  { ...probabilityFields, ignoreClass: optional(numberWhere("a whole number", Number.isInteger)) },
  ({ fromLogits, labelSmoothing, ignoreClass }): Loss => ({
    target(outputShape) {
      const classes = classesOf("sparseCategoricalCrossentropy", outputShape);
      const isBeyond = ignoreClass !== null && (ignoreClass < 0 || ignoreClass >= classes);
      return {
        dtype: "int32",
        shape: outputShape.slice(0, -1),
        classes,
        ...(isBeyond ? { padding: ignoreClass } : {}),
      };
    },
    perAnswer(prediction) {
      const { math, target } = prediction;
      const logs = logProbabilities(prediction, fromLogits); // [batch, ..., classes]
      const ignored = ignoreClass === null ? undefined : math.equal(target, ignoreClass);
      const labels = ignored === undefined ? target : math.where(ignored, math.scalar(0, target), target);
      const hit = math.neg(atLabels(math, logs, labels)); // [batch, ...]
      const loss =
        labelSmoothing === 0
          ? hit
          : math.sub(math.mul(hit, 1 - labelSmoothing), math.mul(lastMean(math, logs), labelSmoothing));
      return ignored === undefined ? loss : math.where(ignored, 0, loss);
    },
    ...(ignoreClass === null
      ? {}
      : {
          counted: ({ math, target }: Prediction): Value => math.builder.op("Not", [math.equal(target, ignoreClass)]),
        }),
    accuracy: () => "sparseCategorical",
  }),
);
