import type { Schedule } from "../../schedules/schedule.ts";
import { asked, type Optimizer } from "../optimizer.ts";

/**
 * Decoupled weight decay around an optimizer: `w -= learningRate * decay * w` before its own move, which sees the weight
 * decayed, as Keras has it. Weights whose id contains one of `exclude` ("bias", "layerNormalization") do not decay.
 *
 * - Source: Loshchilov and Hutter 2017, arXiv:1711.05101.
 */
export const decoupledDecay = (
  decay: number,
  learningRate: Schedule,
  exclude: readonly string[],
  inner: Optimizer,
): Optimizer => ({
  slots: (shape) => inner.slots(shape),
  scalars: (step, rateFactor) => ({
    ...inner.scalars(step, rateFactor),
    decay: learningRate(step - 1) * rateFactor * decay,
  }),
  update({ math, weights, scalars }) {
    const lost = weights.map(({ id, weight }) =>
      exclude.some((part) => id.includes(part)) ? undefined : math.mul(weight, asked(scalars, "decay")),
    );
    const decayed = weights.map((one, i) => {
      const loss = lost[i];
      return loss === undefined ? one : { ...one, weight: math.sub(one.weight, loss) };
    });
    return inner.update({ math, weights: decayed, scalars }).map(({ move, slots }, i) => {
      const loss = lost[i];
      return { move: loss === undefined ? move : math.add(move, loss), slots };
    });
  },
});
