/** @file Means of differences: as they are, as shares of the target, and of logarithms. */
import { defineKind } from "../schema/kind.ts";
import { distance, elementLoss } from "./element-loss.ts";
import { atLeast, probabilityMargin } from "./loss.ts";

/**
 * `|output - target|`, mean over the outputs. No slope where they are equal.
 *
 * - Shapes: output and target [batch, ...]. Units: those of the target.
 * - ONNX: Sub, Abs, ReduceMean.
 */
export const meanAbsoluteError = defineKind("meanAbsoluteError", {}, () => elementLoss(distance));

/**
 * `100 |output - target| / |target|`, mean over the outputs; a target nearer to 0 than 1e-7 counts as 1e-7.
 *
 * - Shapes: output and target [batch, ...]. Units: percent.
 * - ONNX: Sub, Abs, Max, Div, ReduceMean.
 */
export const meanAbsolutePercentageError = defineKind("meanAbsolutePercentageError", {}, () =>
  elementLoss((math, output, target) => {
    const size = atLeast(math, math.builder.op("Abs", [target]), probabilityMargin);
    return math.mul(math.div(distance(math, output, target), size), 100);
  }),
);

/**
 * `(log(1 + output) - log(1 + target))²`, mean over the outputs; what is below 1e-7 counts as 1e-7.
 *
 * - Shapes: output and target [batch, ...], from 0.
 * - ONNX: Max, Add, Log, Sub, Mul, ReduceMean.
 */
export const meanSquaredLogarithmicError = defineKind("meanSquaredLogarithmicError", {}, () =>
  elementLoss(
    (math, output, target) => {
      const [p, t] = [output, target].map((value) => math.log(math.add(atLeast(math, value, probabilityMargin), 1)));
      const difference = math.sub(p ?? output, t ?? target);
      return math.mul(difference, difference);
    },
    [0, Number.POSITIVE_INFINITY],
  ),
);
