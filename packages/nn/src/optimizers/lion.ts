import { fraction } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `lion`. */
export interface LionSettings extends OptimizerSettings {
  readonly beta1?: number;
  readonly beta2?: number;
}

/** The table's entry of `lion`. */
export const lionKind = defineOptimizer(
  "lion",
  { byElement: true, learningRate: 0.001, fields: { beta1: fraction(0.9), beta2: fraction(0.99) } },
  ({ beta1, beta2 }, learningRate) => ({
    slots: (shape) => zeroSlots(shape, "momentum"),
    scalars: (step, rateFactor) => ({ rate: learningRate(step - 1) * rateFactor }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const kept = asked(slots, "momentum");
        const direction = math.add(math.mul(kept, beta1), math.mul(gradient, 1 - beta1));
        const momentum = math.add(math.mul(kept, beta2), math.mul(gradient, 1 - beta2));
        return { move: math.mul(math.builder.op("Sign", [direction]), asked(scalars, "rate")), slots: { momentum } };
      }),
  }),
);

/**
 * Steps of one size along the sign of the momentum: `w -= learningRate * sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g`.
 *
 * - Defaults: `learningRate` 0.001, `beta1` 0.9, `beta2` 0.99. Remembers one value per weight: half of Adam's memory.
 * - Source: Chen and others 2023, arXiv:2302.06675.
 */
export const lion = (settings: LionSettings = {}): Made<Optimizer> => lionKind({ ...settings });
