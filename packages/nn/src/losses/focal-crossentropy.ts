/** @file Cross-entropies that count an answer the less the surer it is: Lin and others 2017, arXiv:1708.02002. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { flag, numberWhere } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { entropies } from "./binary-crossentropy.ts";
import { clipped, type Loss, lastMean, lastSum, likelyLikeOutput } from "./loss.ts";
import {
  chances,
  classesOf,
  logProbabilities,
  probabilityFields,
  smoothedChances,
  smoothedClasses,
} from "./probabilities.ts";

const fields = {
  ...probabilityFields,
  alpha: numberWhere("a number from 0", (value) => value >= 0, 0.25),
  gamma: numberWhere("a number from 0", (value) => value >= 0, 2),
};

const power = (math: GraphMath, base: Value, exponent: number): Value =>
  math.builder.op("Pow", [base, math.scalar(exponent, base)]);

/**
 * `(1 - q)^gamma` times the binary cross-entropy, q the probability of the true answer; mean over the outputs.
 *
 * - Shapes: output and target [batch, ...]; targets from 0 to 1.
 * - Defaults: `gamma` 2; `applyClassBalancing` false, with it yes counts `alpha` (0.25) and no `1 - alpha`;
 *   `fromLogits` false, `labelSmoothing` 0 as in binaryCrossentropy.
 * - ONNX: Softplus, Clip, Pow, Mul, ReduceMean.
 */
export const binaryFocalCrossentropy = defineKind(
  "binaryFocalCrossentropy",
  { ...fields, applyClassBalancing: flag(false) },
  ({ fromLogits, labelSmoothing, alpha, gamma, applyClassBalancing }): Loss => ({
    target: likelyLikeOutput,
    perAnswer(prediction) {
      const { math } = prediction;
      const yes = smoothedChances(math, prediction.target, labelSmoothing);
      const no = math.sub(1, yes);
      // clipped: where an answer is sure, a power below 1 has no finite slope
      const p = clipped(math, chances(prediction, fromLogits));
      const doubt = math.add(math.mul(yes, math.sub(1, p)), math.mul(no, p)); // 1 - q, for soft targets less than that
      const focal = math.mul(power(math, doubt, gamma), entropies({ ...prediction, target: yes }, fromLogits));
      if (!applyClassBalancing) return lastMean(math, focal);
      return lastMean(math, math.mul(math.add(math.mul(yes, alpha), math.mul(no, 1 - alpha)), focal));
    },
    accuracy: () => "binary",
  }),
);

/**
 * `-alpha * sum(target * (1 - p)^gamma * log(p))`.
 *
 * - Shapes: output and target [batch, ..., classes]; target rows sum to 1.
 * - Defaults: `alpha` 0.25, `gamma` 2; `fromLogits` false, `labelSmoothing` 0 as in categoricalCrossentropy.
 * - ONNX: LogSoftmax, Exp, Pow, Mul, ReduceSum.
 */
export const categoricalFocalCrossentropy = defineKind(
  "categoricalFocalCrossentropy",
  fields,
  ({ fromLogits, labelSmoothing, alpha, gamma }): Loss => ({
    target(outputShape) {
      classesOf("categoricalFocalCrossentropy", outputShape);
      return likelyLikeOutput(outputShape);
    },
    perAnswer(prediction) {
      const { math } = prediction;
      const logs = logProbabilities(prediction, fromLogits);
      const target = smoothedClasses(math, prediction.target, labelSmoothing, Number(logs.shape.at(-1)));
      const doubt = math.sub(1, clipped(math, math.exp(logs)));
      const entropy = math.mul(math.mul(target, logs), -alpha);
      return lastSum(math, math.mul(entropy, power(math, doubt, gamma)));
    },
    accuracy: () => "categorical",
  }),
);
