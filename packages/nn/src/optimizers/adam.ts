import type { Schedule } from "../schedules/schedule.ts";
import { flag, fraction, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `adam` and `adamw`. */
export interface AdamSettings extends OptimizerSettings {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly amsgrad?: boolean;
}

const fields = { beta1: fraction(0.9), beta2: fraction(0.999), epsilon: positive(1e-7), amsgrad: flag(false) };

interface Config {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly amsgrad: boolean;
}

const rule = ({ beta1, beta2, epsilon, amsgrad }: Config, learningRate: Schedule): Optimizer => ({
  slots: (shape) => zeroSlots(shape, "momentum", "velocity", ...(amsgrad ? ["largest"] : [])),
  // Keras keeps m = beta1 m + (1 - beta1) g. Kept as M = m / (1 - beta1), that is M = beta1 M + g, and likewise V: one
  // multiplication less for each over the whole weight. The factors go into this one scalar.
  scalars(step, rateFactor) {
    const unbiased = Math.sqrt(1 - beta2 ** step) / (1 - beta1 ** step);
    return { rate: (learningRate(step - 1) * rateFactor * unbiased * (1 - beta1)) / Math.sqrt(1 - beta2) };
  },
  update: ({ math, weights, scalars }) =>
    weights.map(({ gradient, slots }) => {
      const momentum = math.add(math.mul(asked(slots, "momentum"), beta1), gradient);
      const velocity = math.add(math.mul(asked(slots, "velocity"), beta2), math.mul(gradient, gradient));
      const largest = amsgrad ? math.builder.op("Max", [asked(slots, "largest"), velocity]) : undefined;
      const root = math.add(math.sqrt(largest ?? velocity), epsilon / Math.sqrt(1 - beta2));
      const move = math.div(math.mul(momentum, asked(scalars, "rate")), root);
      return { move, slots: { momentum, velocity, ...(largest === undefined ? {} : { largest }) } };
    }),
});

/** The table's entry of `adam`. */
export const adamKind = defineOptimizer("adam", { learningRate: 0.001, fields, byElement: true }, rule);

/** The table's entry of `adamw`. */
export const adamwKind = defineOptimizer(
  "adamw",
  { learningRate: 0.001, weightDecay: 0.004, fields, byElement: true },
  rule,
);

/**
 * Adam: `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²;
 * w -= learningRate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)`; with `amsgrad` the largest v so far.
 *
 * - Defaults: `learningRate` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-7 (Keras' place for it: beside sqrt(v)), `amsgrad` false.
 * - Remembers two values per weight, both divided by 1 - beta; three with `amsgrad`.
 * - Source: Kingma and Ba 2014, arXiv:1412.6980, in the form of its section 2's end, as Keras has it; Reddi and others 2018.
 */
export const adam = (settings: AdamSettings = {}): Made<Optimizer> => adamKind({ ...settings });

/**
 * Adam with decoupled weight decay.
 *
 * - Defaults: those of `adam`, and `weightDecay` 0.004.
 * - Source: Loshchilov and Hutter 2017, arXiv:1711.05101.
 */
export const adamw = (settings: AdamSettings = {}): Made<Optimizer> => adamwKind({ ...settings });
