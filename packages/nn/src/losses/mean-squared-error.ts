import { defineKind } from "../schema/kind.ts";
import { accuracyByWidth, type Loss, lastMean, likeOutput } from "./loss.ts";

/**
 * `(output - target)²`, mean over the outputs.
 *
 * - Shapes: output and target [batch, ...]. Units: those of the target, squared.
 * - ONNX: Sub, Mul, ReduceMean.
 */
export const meanSquaredError = defineKind(
  "meanSquaredError",
  {},
  (): Loss => ({
    target: likeOutput,
    perAnswer({ math, output, target }) {
      const difference = math.sub(output, target);
      return lastMean(math, math.mul(difference, difference));
    },
    accuracy: accuracyByWidth,
  }),
);
