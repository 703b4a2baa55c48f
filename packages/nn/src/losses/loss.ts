/** @file What a loss is: one number per sample, from what the model says and what is true. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** What the true answers look like for a model's output. */
export interface TargetSpec {
  readonly dtype: "float32" | "int32";
  /** Sizes of one sample's answer. */
  readonly shape: readonly number[];
  /** Labels count from 0 up to but without this. */
  readonly classes?: number;
}

/** What the model says and what is true. */
export interface Prediction {
  readonly math: GraphMath;
  /** [batch, ...], after the last activation. */
  readonly output: Value;
  /** What went into the last activation, where that is a softmax or sigmoid: the stable way to a cross-entropy. */
  readonly logits: { readonly activation: "softmax" | "sigmoid"; readonly value: Value } | undefined;
  /** [batch, ...] */
  readonly target: Value;
}

/** Which of the accuracies fits the loss. */
export type AccuracyKind = "sparseCategorical" | "categorical" | "binary";

/** A loss. */
export interface Loss {
  /** @throws ShapeError when the loss makes no sense for such an output. */
  target(outputShape: readonly number[]): TargetSpec;
  /** [batch]: the mean over the sample's other axes. */
  perSample(prediction: Prediction): Value;
  accuracy(outputShape: readonly number[]): AccuracyKind;
}

/** Keras' backend epsilon: probabilities are kept this far from 0 and 1 before a logarithm. */
export const probabilityMargin = 1e-7;

/** Mean over every axis but the first: [batch, ...] → [batch]. */
export const samplesMean = (math: GraphMath, value: Value): Value =>
  math.mean(
    value,
    value.shape.slice(1).map((_, i) => i + 1),
  );

/** Probabilities kept away from 0 and 1. */
export const clipped = (math: GraphMath, value: Value): Value =>
  math.builder.op("Clip", [value, math.scalar(probabilityMargin, value), math.scalar(1 - probabilityMargin, value)]);

/** Logarithms of class probabilities along the last axis: from logits where there are any, else normalized and clipped. */
export function logProbabilities({ math, output, logits }: Prediction): Value {
  if (logits?.activation === "softmax") return math.builder.op("LogSoftmax", [logits.value], { axis: -1 });
  const last = output.shape.length - 1;
  return math.log(clipped(math, math.div(output, math.sum(output, [last], true))));
}
