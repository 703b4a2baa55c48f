import { asked, type Optimizer, zeroSlots } from "../optimizer.ts";

/** Name of the slot that holds the average of a weight. */
export const averageSlot = "average";

/**
 * A moving average of each weight: `average = momentum * average + (1 - momentum) * weight` after each step; the first step's
 * is the weight itself. With `overwriteEvery` the weight becomes its average every so many steps.
 *
 * - Source: Polyak and Juditsky 1992, in the exponential form that Keras has.
 */
export const movingAverage = (momentum: number, overwriteEvery: number | null): Optimizer => ({
  slots: (shape) => zeroSlots(shape, averageSlot),
  scalars: (step) => ({
    momentum: step === 1 ? 0 : momentum,
    ...(overwriteEvery === null ? {} : { overwrite: step % overwriteEvery === 0 ? 1 : 0 }),
  }),
  update: ({ math, weights, scalars }) =>
    weights.map(({ weight, gradient, slots }) => {
      const kept = asked(scalars, "momentum");
      const next = math.sub(weight, gradient);
      const average = math.add(math.mul(asked(slots, averageSlot), kept), math.mul(next, math.sub(1, kept)));
      const move =
        overwriteEvery === null
          ? gradient
          : math.where(math.greater(asked(scalars, "overwrite"), 0), math.sub(weight, average), gradient);
      return { move, slots: { [averageSlot]: average } };
    }),
});
