import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";

/** How to standardize. */
export interface StandardizeOptions {
  readonly epsilon: number;
  /** Of the sizes of the axes; ones when left out. */
  readonly gamma?: Value | undefined;
  /** Of the sizes of the axes; zeros when left out. */
  readonly beta?: Value | undefined;
  /** True where a gradient will be taken: the statistics are then kept for it. */
  readonly training: boolean;
}

/** `(x - mean) / sqrt(variance + epsilon) * gamma + beta` over the last axes, which have these sizes: one operator. */
export function standardize(
  math: GraphMath,
  x: Value,
  sizes: readonly number[],
  { epsilon, gamma, beta, training }: StandardizeOptions,
): Value {
  const { builder } = math;
  const gain = gamma ?? math.filled(sizes, 1, x.dtype);
  const inputs = beta === undefined ? [x, gain] : [x, gain, beta];
  const [y] = builder.ops("LayerNormalization", inputs, { axis: -sizes.length, epsilon }, training ? 3 : 1);
  if (y === undefined) throw new Error("LayerNormalization: made no output");
  return y;
}
