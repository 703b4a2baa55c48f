import { fraction, positive } from "../schema/field.ts";
import { defineKind, type Made } from "../schema/kind.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** The table's entry of `adam`. */
export const adamKind = defineKind(
  "adam",
  { learningRate: positive(0.001), beta1: fraction(0.9), beta2: fraction(0.999), epsilon: positive(1e-7) },
  ({ learningRate, beta1, beta2, epsilon }): Optimizer => ({
    slots: (shape) => zeroSlots(shape, "momentum", "velocity"),
    // Keras keeps m = beta1 m + (1 - beta1) g. Kept as M = m / (1 - beta1), that is M = beta1 M + g, and likewise V: one
    // multiplication less for each over the whole weight. The factors go into this one scalar.
    scalars(step, rateFactor) {
      const unbiased = Math.sqrt(1 - beta2 ** step) / (1 - beta1 ** step);
      return { rate: (learningRate * rateFactor * unbiased * (1 - beta1)) / Math.sqrt(1 - beta2) };
    },
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const momentum = math.add(math.mul(asked(slots, "momentum"), beta1), gradient);
        const velocity = math.add(math.mul(asked(slots, "velocity"), beta2), math.mul(gradient, gradient));
        const root = math.add(math.sqrt(velocity), epsilon / Math.sqrt(1 - beta2));
        return { move: math.div(math.mul(momentum, asked(scalars, "rate")), root), slots: { momentum, velocity } };
      }),
  }),
);

/**
 * Adam: `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²;
 * w -= learningRate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)`.
 *
 * - Defaults: `learningRate` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-7 (Keras' place for it: beside sqrt(v)).
 * - Remembers two values per weight, both divided by 1 - beta.
 * - Source: Kingma and Ba 2014, arXiv:1412.6980, in the form of its section 2's end, as Keras has it.
 */
export const adam = (
  settings: {
    readonly learningRate?: number;
    readonly beta1?: number;
    readonly beta2?: number;
    readonly epsilon?: number;
  } = {},
): Made<Optimizer> => adamKind.of(settings);
