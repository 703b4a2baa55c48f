import { asked, type Moved, type Optimizer } from "../optimizer.ts";

const own = (place: number, name: string): string => `${place}/${name}`;

/** Those entries whose name begins with a place, without it. */
const of = <T>(values: Readonly<Record<string, T>>, names: readonly string[], place: number): Record<string, T> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = values[own(place, name)];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Optimizers one after the other: each gets as gradients what the one before made, and the last one's moves are taken off
 * the weights. One alone stays itself.
 */
export function chain(...parts: readonly Optimizer[]): Optimizer {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    slots: (shape) =>
      parts.flatMap((part, i) => part.slots(shape).map((slot) => ({ ...slot, name: own(i, slot.name) }))),
    scalars: (step, rateFactor) =>
      Object.fromEntries(
        parts.flatMap((part, i) =>
          Object.entries(part.scalars(step, rateFactor)).map(([name, value]) => [own(i, name), value]),
        ),
      ),
    update({ math, weights, scalars }) {
      let moved: readonly Moved[] = weights.map(({ gradient }) => ({ move: gradient, slots: {} }));
      for (const [i, part] of parts.entries()) {
        const before = moved;
        const names = Object.keys(part.scalars(1, 1));
        const after = part.update({
          math,
          scalars: Object.fromEntries(names.map((name) => [name, asked(scalars, own(i, name))])),
          weights: weights.map((one, place) => ({
            ...one,
            gradient: before[place]?.move ?? one.gradient,
            slots: of(
              one.slots,
              part.slots(one.weight.shape.map(Number)).map(({ name }) => name),
              i,
            ),
          })),
        });
        moved = after.map(({ move, slots }, place) => ({
          move,
          slots: {
            ...before[place]?.slots,
            ...Object.fromEntries(Object.entries(slots).map(([name, value]) => [own(i, name), value])),
          },
        }));
      }
      return moved;
    },
  };
}
