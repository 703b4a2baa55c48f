/** @file What a loss is: one number per answer, from what the model says and what is true. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** What the true answers look like for a model's output. */
export interface TargetSpec {
  readonly dtype: "float32" | "int32";
  /** Sizes of one sample's answer. */
  readonly shape: readonly number[];
  /** Labels count from 0 up to but without this. */
  readonly classes?: number;
  /** A label beyond the classes that stands for "nothing here": CTC fills short label lists up with -1. */
  readonly padding?: number;
  /** Least and most that an answer may be, where the loss makes no sense beyond. */
  readonly range?: readonly [least: number, most: number];
  /** Sizes of a sample's losses; those of its labels, or of its numbers without their last axis, when left out. */
  readonly lossShape?: readonly number[];
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
  /** bool [batch, time]: false where the output's sequence is padding; undefined without a mask. */
  readonly mask: Value | undefined;
}

/** Which of the accuracies fits the loss. */
export type AccuracyKind = "sparseCategorical" | "categorical" | "binary";

/**
 * A loss.
 *
 * The training program turns its numbers into one: sum(number * weight) / count of numbers, where weights are those of
 * samples and classes; with a mask only the numbers it keeps are summed and counted (Keras' sum over batch size).
 */
export interface Loss {
  /** @throws ShapeError when the loss makes no sense for such an output. */
  target(outputShape: readonly number[]): TargetSpec;
  /** [batch, ...]: a number for each label, or for each last axis of numbers (their mean). */
  perAnswer(prediction: Prediction): Value;
  /** The accuracy that "accuracy" stands for beside this loss. */
  accuracy(outputShape: readonly number[]): AccuracyKind;
  /** bool, of the numbers' shape: those that count; the others are neither summed nor counted. All count when left out. */
  counted?(prediction: Prediction): Value;
  /** True when the loss reads the mask itself, so that it weighs nothing: CTC takes its lengths from it. */
  readonly usesMask?: boolean;
}

/** Keras' backend epsilon: probabilities are kept this far from 0 and 1 before a logarithm. */
export const probabilityMargin = 1e-7;

/** True answers of the output's own shape. */
export const likeOutput = (outputShape: readonly number[]): TargetSpec => ({ dtype: "float32", shape: outputShape });

/** True answers of the output's own shape, that say how likely something is. */
export const likelyLikeOutput = (outputShape: readonly number[]): TargetSpec => ({
  ...likeOutput(outputShape),
  range: [0, 1],
});

/** Which accuracy fits an output of several numbers, and of one. */
export const accuracyByWidth = (outputShape: readonly number[]): AccuracyKind =>
  (outputShape.at(-1) ?? 1) > 1 ? "categorical" : "binary";

/** Mean over the last axis, [batch, ..., outputs] → [batch, ...]; numbers without a last axis, [batch], stay. */
export const lastMean = (math: GraphMath, value: Value): Value =>
  value.shape.length < 2 ? value : math.mean(value, [value.shape.length - 1]);

/** Sum over the last axis, [batch, ..., outputs] → [batch, ...]. */
export const lastSum = (math: GraphMath, value: Value): Value => math.sum(value, [value.shape.length - 1]);

/** max(value, least), without a gradient where `least` is larger. */
export const atLeast = (math: GraphMath, value: Value, least: number): Value =>
  math.builder.op("Max", [value, math.scalar(least, value)]);

/** Probabilities kept away from 0 and 1. */
export const clipped = (math: GraphMath, value: Value): Value =>
  math.builder.op("Clip", [value, math.scalar(probabilityMargin, value), math.scalar(1 - probabilityMargin, value)]);
