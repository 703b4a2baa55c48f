import type { Schedule } from "../../schedules/schedule.ts";
import { asked, type Optimizer } from "../optimizer.ts";

/**
 * Decoupled weight decay: takes `learningRate * decay * weight` off as well, whatever the optimizer before it makes.
 * Weights whose id contains one of `exclude` ("bias", "layerNormalization") do not decay.
 *
 * - Source: Loshchilov and Hutter 2017, arXiv:1711.05101.
 */
export const decoupledDecay = (decay: number, learningRate: Schedule, exclude: readonly string[]): Optimizer => ({
  slots: () => [],
  scalars: (step, rateFactor) => ({ decay: learningRate(step - 1) * rateFactor * decay }),
  update: ({ math, weights, scalars }) =>
    weights.map(({ id, weight, gradient }) => ({
      move: exclude.some((part) => id.includes(part))
        ? gradient
        : math.add(gradient, math.mul(weight, asked(scalars, "decay"))),
      slots: {},
    })),
});
