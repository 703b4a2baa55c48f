import { defineKind } from "../schema/kind.ts";
import { clipped, type Loss, lastMean } from "./loss.ts";

/**
 * Cross-entropy of yes-or-no answers: `-(t log(p) + (1 - t) log(1 - p))`, mean over the outputs.
 *
 * - Shapes: output and target [batch, ...]; targets from 0 to 1.
 * - After a sigmoid it works on the logits: `softplus(x) - x t`. Written with max and |x|, as often, its gradient would
 *   be wrong at x = 0, where training starts.
 * - ONNX: Softplus, Mul, Sub, ReduceMean.
 */
export const binaryCrossentropy = defineKind(
  "binaryCrossentropy",
  {},
  (): Loss => ({
    target: (outputShape) => ({ dtype: "float32", shape: outputShape }),
    perAnswer({ math, output, logits, target }) {
      if (logits?.activation === "sigmoid") {
        const softplus = math.builder.op("Softplus", [logits.value]);
        return lastMean(math, math.sub(softplus, math.mul(logits.value, target)));
      }
      const p = clipped(math, output);
      const yes = math.mul(target, math.log(p));
      const no = math.mul(math.sub(1, target), math.log(math.sub(1, p)));
      return lastMean(math, math.neg(math.add(yes, no)));
    },
    accuracy: () => "binary",
  }),
);
