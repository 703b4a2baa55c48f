/** @file How losses read an output that says probabilities, or the logits that a softmax or sigmoid would make them of. */
import { ShapeError, type Value } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import type { GraphMath } from "../graph/graph-math.ts";
import { flag, fraction } from "../schema/field.ts";
import { clipped, type Prediction } from "./loss.ts";

/** Settings of the cross-entropies. */
export const probabilityFields = {
  /** The output is what a softmax or sigmoid would turn into probabilities. */
  fromLogits: flag(false),
  /** The share by which true answers are moved toward no answer. */
  labelSmoothing: fraction(0),
};

/**
 * The logits behind an output: the output itself with `fromLogits`, else what went into its last activation; undefined
 * where it says probabilities that were made in another way.
 * @throws NnError when the output is said to be logits and is probabilities.
 */
export function logitsBehind(
  { logits, output }: Prediction,
  activation: "softmax" | "sigmoid",
  fromLogits: boolean,
): Value | undefined {
  const isMade = logits?.activation === activation;
  if (fromLogits && isMade)
    throw new NnError(
      `loss: expected logits, as fromLogits says, received an output after ${activation}; leave fromLogits out (the loss finds the logits itself), or take the ${activation} off the last layer`,
    );
  if (fromLogits) return output;
  return isMade ? logits.value : undefined;
}

/** Logarithms of class probabilities along the last axis: from logits where there are any, else normalized and clipped. */
export function logProbabilities(prediction: Prediction, fromLogits = false): Value {
  const { math } = prediction;
  const logits = logitsBehind(prediction, "softmax", fromLogits);
  return logits === undefined
    ? math.log(normalized(prediction))
    : math.builder.op("LogSoftmax", [logits], { axis: -1 });
}

/** Class probabilities that add up to 1 along the last axis, clipped. */
export function normalized({ math, output }: Prediction): Value {
  return clipped(math, math.div(output, math.sum(output, [output.shape.length - 1], true)));
}

/** Yes-or-no probabilities of an output, not clipped. */
export function chances(prediction: Prediction, fromLogits: boolean): Value {
  const logits = logitsBehind(prediction, "sigmoid", fromLogits);
  return logits === prediction.output ? prediction.math.builder.op("Sigmoid", [logits]) : prediction.output;
}

/** True shares of classes, moved toward the same share of each. */
export const smoothedClasses = (math: GraphMath, target: Value, smoothing: number, classes: number): Value =>
  smoothing === 0 ? target : math.add(math.mul(target, 1 - smoothing), smoothing / classes);

/** True yes-or-no answers, moved toward a half. */
export const smoothedChances = (math: GraphMath, target: Value, smoothing: number): Value =>
  smoothedClasses(math, target, smoothing, 2);

/** What stands at each label: values [batch, ..., classes], labels int32 [batch, ...] → [batch, ...]. */
export function atLabels(math: GraphMath, values: Value, labels: Value): Value {
  const last = values.shape.length - 1;
  const axis = math.builder.ints(last);
  const picked = math.builder.op("GatherElements", [values, math.builder.op("Unsqueeze", [labels, axis])], {
    axis: last,
  });
  return math.builder.op("Squeeze", [picked, axis]);
}

/** float32 [batch, ..., classes]: 1 at each label, nothing but 0 at a label that is no class. */
export function oneHot(math: GraphMath, labels: Value, classes: number): Value {
  const places = math.builder.op(
    "Range",
    [0, classes, 1].map((bound) => math.builder.scalar(BigInt(bound), "int64")),
  );
  const column = math.builder.op("Unsqueeze", [labels, math.builder.ints(labels.shape.length)]);
  return math.cast(math.equal(column, places), "float32");
}

/** Classes of an output. @throws ShapeError when there are fewer than two. */
export function classesOf(loss: string, outputShape: readonly number[]): number {
  const classes = outputShape.at(-1) ?? 1;
  if (classes >= 2) return classes;
  throw new ShapeError(
    loss,
    `expected a last layer with one output per class (2 or more), received [${outputShape.join(", ")}]; for one output use binaryCrossentropy`,
  );
}
