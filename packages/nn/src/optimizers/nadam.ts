import { fraction, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `nadam`. */
export interface NadamSettings extends OptimizerSettings {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** The share of the momentum in a step: it grows towards beta1. */
const shareOf = (beta1: number, step: number): number => beta1 * (1 - 0.5 * 0.96 ** step);

/** The product of all shares up to a step; nothing is left of it after some hundred. */
function productOf(beta1: number, step: number): number {
  let product = 1;
  for (let i = 1; i <= step && product > 1e-40; i++) product *= shareOf(beta1, i);
  return product;
}

/** The table's entry of `nadam`. */
export const nadamKind = defineOptimizer(
  "nadam",
  {
    byElement: true,
    learningRate: 0.001,
    fields: { beta1: fraction(0.9), beta2: fraction(0.999), epsilon: positive(1e-7) },
  },
  ({ beta1, beta2, epsilon }, learningRate) => ({
    slots: (shape) => zeroSlots(shape, "momentum", "velocity"),
    scalars(step, rateFactor) {
      const rate = learningRate(step - 1) * rateFactor;
      const [now, next] = [shareOf(beta1, step), shareOf(beta1, step + 1)];
      const product = productOf(beta1, step);
      return {
        ofMomentum: (rate * next) / (1 - product * next),
        ofGradient: (rate * (1 - now)) / (1 - product),
        ofVelocity: 1 / (1 - beta2 ** step),
      };
    },
    update: ({ math, weights, scalars }) =>
      weights.map(({ gradient, slots }) => {
        const momentum = math.add(math.mul(asked(slots, "momentum"), beta1), math.mul(gradient, 1 - beta1));
        const squares = math.mul(math.mul(gradient, gradient), 1 - beta2);
        const velocity = math.add(math.mul(asked(slots, "velocity"), beta2), squares);
        const ahead = math.add(
          math.mul(momentum, asked(scalars, "ofMomentum")),
          math.mul(gradient, asked(scalars, "ofGradient")),
        );
        const root = math.add(math.sqrt(math.mul(velocity, asked(scalars, "ofVelocity"))), epsilon);
        return { move: math.div(ahead, root), slots: { momentum, velocity } };
      }),
  }),
);

/**
 * Adam that looks ahead along its momentum, as Nesterov does.
 *
 * - Defaults: `learningRate` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-7. Remembers two values per weight.
 * - Source: Dozat 2015, as Keras has it.
 */
export const nadam = (settings: NadamSettings = {}): Made<Optimizer> => nadamKind({ ...settings });
