import { flag, fraction, positive } from "../schema/field.ts";
import { defineKind, type Made } from "../schema/kind.ts";
import type { Optimizer } from "./optimizer.ts";

/** The table's entry of `sgd`. */
export const sgdKind = defineKind(
  "sgd",
  { learningRate: positive(0.01), momentum: fraction(0), nesterov: flag(false) },
  ({ learningRate, momentum, nesterov }): Optimizer => ({
    slots: momentum > 0 ? ["velocity"] : [],
    scalars: () => ({ learningRate }),
    update({ math, weight, gradient, slots, scalars }) {
      const step = math.mul(gradient, scalars["learningRate"] ?? learningRate);
      const { velocity } = slots;
      if (velocity === undefined) return { weight: math.sub(weight, step), slots: {} };
      const next = math.sub(math.mul(velocity, momentum), step);
      const move = nesterov ? math.sub(math.mul(next, momentum), step) : next;
      return { weight: math.add(weight, move), slots: { velocity: next } };
    },
  }),
);

/**
 * Stochastic gradient descent: `w -= learningRate * g`; with momentum `v = momentum * v - learningRate * g; w += v`, and
 * with Nesterov's look ahead `w += momentum * v - learningRate * g`.
 *
 * - Defaults: `learningRate` 0.01, `momentum` 0, `nesterov` false. Remembers one value per weight with momentum, else none.
 */
export const sgd = (
  settings: { readonly learningRate?: number; readonly momentum?: number; readonly nesterov?: boolean } = {},
): Made<Optimizer> => sgdKind.of(settings);
