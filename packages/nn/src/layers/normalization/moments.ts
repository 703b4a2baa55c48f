import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

/** Mean and variance over some axes, which keep size 1. */
export interface Moments {
  readonly mean: Value;
  /** Of the population: divided by the count. */
  readonly variance: Value;
  /** x - mean */
  readonly centred: Value;
}

/** Keras': where nothing counts, mean and variance are 0 and not NaN. */
const leastCount = 1e-7;

/** Moments over axes of a value; elements where `counts`, which broadcasts over it, is false are left out. */
export function momentsOf(math: GraphMath, x: Value, axes: readonly number[], counts?: Value): Moments {
  if (counts === undefined) {
    const mean = math.mean(x, axes, true);
    const centred = math.sub(x, mean);
    return { mean, variance: math.mean(math.mul(centred, centred), axes, true), centred };
  }
  const weight = math.cast(counts, x.dtype);
  // the mask repeats along its axes of size 1
  const repeats = axes.reduce(
    (product, axis) => (counts.shape[axis] === 1 ? product * Number(x.shape[axis]) : product),
    1,
  );
  const count = math.mul(math.sum(weight, axes, true), repeats);
  const divide = (sum: Value): Value => math.div(sum, math.add(count, leastCount));
  const mean = divide(math.sum(math.mul(x, weight), axes, true));
  const centred = math.sub(x, mean);
  const square = math.mul(math.mul(centred, centred), weight);
  return { mean, variance: divide(math.sum(square, axes, true)), centred };
}
