import { numberWhere, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer } from "./optimizer.ts";

/** Settings of `adagrad`. */
export interface AdagradSettings extends OptimizerSettings {
  readonly initialAccumulatorValue?: number;
  readonly epsilon?: number;
}

/** The table's entry of `adagrad`. */
export const adagradKind = defineOptimizer(
  "adagrad",
  {
    byElement: true,
    learningRate: 0.001,
    fields: {
      initialAccumulatorValue: numberWhere("a number from 0", (value) => value >= 0, 0.1),
      epsilon: positive(1e-7),
    },
  },
  ({ initialAccumulatorValue, epsilon }, learningRate) => ({
    slots: (shape) => [{ name: "squares", shape, start: initialAccumulatorValue }],
    scalars: (step, rateFactor) => ({ rate: learningRate(step - 1) * rateFactor }),
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const squares = math.add(asked(slots, "squares"), math.mul(gradient, gradient));
        const move = math.div(math.mul(gradient, asked(scalars, "rate")), math.sqrt(math.add(squares, epsilon)));
        return { move, slots: { squares } };
      }),
  }),
);

/**
 * Steps that shrink with all squares so far: `a += g²; w -= learningRate * g / sqrt(a + epsilon)`.
 *
 * - Defaults: `learningRate` 0.001, `initialAccumulatorValue` 0.1, `epsilon` 1e-7. Remembers one value per weight.
 * - Source: Duchi, Hazan and Singer 2011.
 */
export const adagrad = (settings: AdagradSettings = {}): Made<Optimizer> => adagradKind({ ...settings });
