import type { Value } from "@gristmill/onnx";
import { countElements, type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import type { Moved, Moving, Optimizer } from "../optimizer.ts";

/** Elements of a weight up to which starting an operator on it takes longer than its arithmetic: biases, gains, small kernels. */
const mostOfSmall = 4096;

const isSmall = ({ weight }: Moving): boolean => countElements(weight) <= mostOfSmall;

/**
 * Lets a rule move all small weights as one: a rule of nine operators runs them once, not once for each bias. The numbers stay
 * the same to the last bit. Only for rules in which each element moves by itself, and whose slots have the weight's shape.
 *
 * A Transformer of 12 layers has 122 small weights among 194: its program has 2,737 nodes instead of 3,811, and its
 * session opens in 0.50 instead of 0.70 s (of processor time, one thread, 2026-11-23).
 */
export const together = (rule: Optimizer): Optimizer => ({
  ...rule,
  update({ math, weights, scalars }) {
    const small = weights.filter(isSmall);
    if (small.length < 2) return rule.update({ math, weights, scalars });
    const large = weights.filter((one) => !isSmall(one));
    const [moved, ...others] = rule.update({ math, weights: [joined(math, small), ...large], scalars });
    const apart = moved === undefined ? [] : parted(math, moved, small);
    const all = new Map<Moving, Moved | undefined>([
      ...small.map((one, i) => [one, apart[i]] as const),
      ...large.map((one, i) => [one, others[i]] as const),
    ]);
    return weights.map((one) => {
      const found = all.get(one);
      if (found === undefined) throw new Error(`${one.id}: the optimizer forgot this weight`);
      return found;
    });
  },
});

/** Weights, gradients and slots one behind the other. What of it the rule does not read is pruned. */
function joined(math: GraphMath, small: readonly Moving[]): Moving {
  const join = (pick: (one: Moving) => Value | undefined): Value =>
    math.concat(
      small.map((one) => {
        const value = pick(one);
        if (value === undefined) throw new Error(`${one.id}: its slots are not those of other weights`);
        return math.reshape(value, [countElements(value)]);
      }),
      0,
    );
  return {
    id: small.map(({ id }) => id).join(", "),
    weight: join(({ weight }) => weight),
    gradient: join(({ gradient }) => gradient),
    slots: Object.fromEntries(
      Object.keys(small[0]?.slots ?? {}).map((slot) => [slot, join(({ slots }) => slots[slot])]),
    ),
  };
}

/** What became of each weight. */
function parted(math: GraphMath, { move, slots }: Moved, small: readonly Moving[]): Moved[] {
  const lengths = small.map(({ weight }) => countElements(weight));
  const part = (value: Value): Value[] =>
    math.builder
      .ops("Split", [value, math.builder.ints(...lengths)], { axis: 0 }, lengths.length)
      .map((one, i) => math.reshape(one, sizesOf(small[i]?.weight ?? one)));
  const moves = part(move);
  const parts = Object.entries(slots).map(([slot, value]) => [slot, part(value)] as const);
  return small.map(({ weight }, i) => ({
    move: moves[i] ?? weight,
    slots: Object.fromEntries(parts.map(([slot, values]) => [slot, values[i] ?? weight])),
  }));
}
