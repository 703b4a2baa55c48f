import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

// A power of 2, so that both products are exact. From 2^23 on a float32 is a whole number, which rounding leaves as it is:
// numbers from 0.5 on come through unchanged, smaller ones are off by 3e-8 at most.
const scale = 2 ** 24;

/**
 * The same numbers, through which no gradient flows. ONNX has no operator for it; Round has no slope.
 * Range: sizes up to 2e31.
 */
export const stopGradient = (math: GraphMath, value: Value): Value =>
  math.mul(math.builder.op("Round", [math.mul(value, scale)]), 1 / scale);
