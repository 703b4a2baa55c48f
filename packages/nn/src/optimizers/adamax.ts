import { fraction, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `adamax`. */
export interface AdamaxSettings extends OptimizerSettings {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** The table's entry of `adamax`. */
export const adamaxKind = defineOptimizer(
  "adamax",
  {
    byElement: true,
    learningRate: 0.001,
    fields: { beta1: fraction(0.9), beta2: fraction(0.999), epsilon: positive(1e-7) },
  },
  ({ beta1, beta2, epsilon }, learningRate) => ({
    slots: (shape) => zeroSlots(shape, "momentum", "largest"),
    scalars: (step, rateFactor) => ({ rate: (learningRate(step - 1) * rateFactor) / (1 - beta1 ** step) }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const momentum = math.add(math.mul(asked(slots, "momentum"), beta1), math.mul(gradient, 1 - beta1));
        const size = math.builder.op("Abs", [gradient]);
        const largest = math.builder.op("Max", [math.mul(asked(slots, "largest"), beta2), size]);
        const move = math.div(math.mul(momentum, asked(scalars, "rate")), math.add(largest, epsilon));
        return { move, slots: { momentum, largest } };
      }),
  }),
);

/**
 * Adam by the largest gradient instead of the mean square: `u = max(beta2 u, |g|); w -= learningRate / (1 - beta1^t) * m / (u + epsilon)`.
 *
 * - Defaults: `learningRate` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-7. Remembers two values per weight.
 * - Source: Kingma and Ba 2014, arXiv:1412.6980, section 7.
 */
export const adamax = (settings: AdamaxSettings = {}): Made<Optimizer> => adamaxKind({ ...settings });
