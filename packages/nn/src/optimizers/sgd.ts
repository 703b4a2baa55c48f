import { flag, fraction, positive } from "../schema/field.ts";
import { defineKind, type Made } from "../schema/kind.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** The table's entry of `sgd`. */
export const sgdKind = defineKind(
  "sgd",
  { learningRate: positive(0.01), momentum: fraction(0), nesterov: flag(false) },
  ({ learningRate, momentum, nesterov }): Optimizer => ({
    slots: (shape) => (momentum > 0 ? zeroSlots(shape, "velocity") : []),
    scalars: (_, rateFactor) => ({ learningRate: learningRate * rateFactor }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const step = math.mul(gradient, asked(scalars, "learningRate"));
        if (momentum === 0) return { move: step, slots: {} };
        const velocity = math.add(math.mul(asked(slots, "velocity"), momentum), step);
        const move = nesterov ? math.add(math.mul(velocity, momentum), step) : velocity;
        return { move, slots: { velocity } };
      }),
  }),
);

/**
 * Stochastic gradient descent: `w -= learningRate * g`; with momentum `v = momentum * v + learningRate * g; w -= v`, and
 * with Nesterov's look ahead `w -= momentum * v + learningRate * g`.
 *
 * - Defaults: `learningRate` 0.01, `momentum` 0, `nesterov` false. Remembers one value per weight with momentum, else none.
 */
export const sgd = (
  settings: { readonly learningRate?: number; readonly momentum?: number; readonly nesterov?: boolean } = {},
): Made<Optimizer> => sgdKind.of(settings);
