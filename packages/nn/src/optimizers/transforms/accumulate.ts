import { asked, type Optimizer, zeroSlots } from "../optimizer.ts";

const sumSlot = "accumulated";

/**
 * Adds up the gradients of `every` steps and lets the optimizer move the weights by their mean at the last of them: a batch
 * so many times as large in the memory of one. The optimizer counts its own steps.
 */
export const accumulate = (every: number, inner: Optimizer): Optimizer => ({
  slots: (shape) => [...zeroSlots(shape, sumSlot), ...inner.slots(shape)],
  scalars: (step, rateFactor) => ({
    ...inner.scalars(Math.ceil(step / every), rateFactor),
    moves: step % every === 0 ? 1 : 0,
  }),
  update({ math, weights, scalars }) {
    const moves = math.greater(asked(scalars, "moves"), 0);
    const sums = weights.map(({ gradient, slots }) => math.add(asked(slots, sumSlot), gradient));
    const moved = inner.update({
      math,
      scalars,
      weights: weights.map((one, i) => ({ ...one, gradient: math.div(sums[i] ?? one.gradient, every) })),
    });
    return weights.map(({ gradient, slots }, i) => {
      const one = moved[i];
      const sum = sums[i];
      if (one === undefined || sum === undefined) throw new Error("accumulate: the optimizer forgot a weight");
      const kept = Object.entries(one.slots).map(([name, value]) => [
        name,
        math.where(moves, value, asked(slots, name)),
      ]);
      return {
        move: math.where(moves, one.move, math.mul(gradient, 0)),
        slots: { ...Object.fromEntries(kept), [sumSlot]: math.where(moves, 0, sum) },
      };
    });
  },
});
