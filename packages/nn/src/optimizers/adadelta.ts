import { fraction, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `adadelta`. */
export interface AdadeltaSettings extends OptimizerSettings {
  readonly rho?: number;
  readonly epsilon?: number;
}

/** The table's entry of `adadelta`. */
export const adadeltaKind = defineOptimizer(
  "adadelta",
  { byElement: true, learningRate: 0.001, fields: { rho: fraction(0.95), epsilon: positive(1e-7) } },
  ({ rho, epsilon }, learningRate) => ({
    slots: (shape) => zeroSlots(shape, "gradients", "moves"),
    scalars: (step, rateFactor) => ({ rate: learningRate(step - 1) * rateFactor }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const mean = (slot: string, value: typeof gradient) =>
          math.add(math.mul(asked(slots, slot), rho), math.mul(math.mul(value, value), 1 - rho));
        const gradients = mean("gradients", gradient);
        const scale = math.sqrt(math.div(math.add(asked(slots, "moves"), epsilon), math.add(gradients, epsilon)));
        const delta = math.mul(scale, gradient);
        return {
          move: math.mul(delta, asked(scalars, "rate")),
          slots: { gradients, moves: mean("moves", delta) },
        };
      }),
  }),
);

/**
 * Steps in the units of the weights: `delta = sqrt(d + epsilon) / sqrt(a + epsilon) * g; w -= learningRate * delta`, with
 * moving means a of g² and d of delta².
 *
 * - Defaults: `learningRate` 0.001 (the paper's is 1), `rho` 0.95, `epsilon` 1e-7. Remembers two values per weight.
 * - Source: Zeiler 2012, arXiv:1212.5701.
 */
export const adadelta = (settings: AdadeltaSettings = {}): Made<Optimizer> => adadeltaKind({ ...settings });
