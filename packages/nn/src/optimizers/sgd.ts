import { flag, fraction } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** The table's entry of `sgd`. */
export const sgdKind = defineOptimizer(
  "sgd",
  { learningRate: 0.01, fields: { momentum: fraction(0), nesterov: flag(false) } },
  ({ momentum, nesterov }, learningRate) => ({
    slots: (shape) => (momentum > 0 ? zeroSlots(shape, "velocity") : []),
    scalars: (step, rateFactor) => ({ rate: learningRate(step - 1) * rateFactor }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const step = math.mul(gradient, asked(scalars, "rate"));
        if (momentum === 0) return { move: step, slots: {} };
        const velocity = math.add(math.mul(asked(slots, "velocity"), momentum), step);
        const move = nesterov ? math.add(math.mul(velocity, momentum), step) : velocity;
        return { move, slots: { velocity } };
      }),
  }),
);

/** Settings of `sgd`. */
export interface SgdSettings extends OptimizerSettings {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent: `w -= learningRate * g`; with momentum `v = momentum * v + learningRate * g; w -= v`, and
 * with Nesterov's look ahead `w -= momentum * v + learningRate * g`.
 *
 * - Defaults: `learningRate` 0.01, `momentum` 0, `nesterov` false. Remembers one value per weight with momentum, else none.
 */
export const sgd = (settings: SgdSettings = {}): Made<Optimizer> => sgdKind({ ...settings });
