import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

/** Keras' smallest length: a row of zeros stays zeros. */
const leastLength = 1e-7;

/** `x / max(sqrt(sum(x²)), 1e-7)` along axes of the value. The bound is on the sum, so that a row of zeros has gradient 0 / 1e-7 and no NaN. */
export function unitLength(math: GraphMath, x: Value, axes: readonly number[]): Value {
  const squares = math.sum(math.mul(x, x), axes, true);
  return math.div(x, math.sqrt(math.builder.op("Max", [squares, math.scalar(leastLength ** 2, x)])));
}
