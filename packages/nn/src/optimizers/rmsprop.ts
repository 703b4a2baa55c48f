import { flag, fraction, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `rmsprop`. */
export interface RmspropSettings extends OptimizerSettings {
  readonly rho?: number;
  readonly momentum?: number;
  readonly epsilon?: number;
  readonly centered?: boolean;
}

/** The table's entry of `rmsprop`. */
export const rmspropKind = defineOptimizer(
  "rmsprop",
  {
    byElement: true,
    learningRate: 0.001,
    fields: { rho: fraction(0.9), momentum: fraction(0), epsilon: positive(1e-7), centered: flag(false) },
  },
  ({ rho, momentum, epsilon, centered }, learningRate) => ({
    slots: (shape) => zeroSlots(shape, "squares", ...(momentum > 0 ? ["momentum"] : []), ...(centered ? ["mean"] : [])),
    scalars: (step, rateFactor) => ({ rate: learningRate(step - 1) * rateFactor }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const moving = (slot: string, value: typeof gradient) =>
          math.add(math.mul(asked(slots, slot), rho), math.mul(value, 1 - rho));
        const squares = moving("squares", math.mul(gradient, gradient));
        const mean = centered ? moving("mean", gradient) : undefined;
        const variance = mean === undefined ? squares : math.sub(squares, math.mul(mean, mean));
        const step = math.div(math.mul(gradient, asked(scalars, "rate")), math.sqrt(math.add(variance, epsilon)));
        const kept = { squares, ...(mean === undefined ? {} : { mean }) };
        if (momentum === 0) return { move: step, slots: kept };
        const move = math.add(math.mul(asked(slots, "momentum"), momentum), step);
        return { move, slots: { ...kept, momentum: move } };
      }),
  }),
);

/**
 * Gradients by the root of their moving mean square: `v = rho v + (1 - rho) g²; w -= learningRate * g / sqrt(v + epsilon)`;
 * with `centered` the variance instead of the mean square; with `momentum` the steps add up as in sgd.
 *
 * - Defaults: `learningRate` 0.001, `rho` 0.9, `momentum` 0, `epsilon` 1e-7, `centered` false. Remembers one to three values per weight.
 * - Source: Tieleman and Hinton 2012, as Keras has it.
 */
export const rmsprop = (settings: RmspropSettings = {}): Made<Optimizer> => rmspropKind({ ...settings });
