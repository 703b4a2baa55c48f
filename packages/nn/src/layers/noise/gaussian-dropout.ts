import { sizesOf } from "../../graph/graph-math.ts";
import { normalNumbers } from "../../random/random-words.ts";
import { fraction } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `gaussianDropout`. */
export const gaussianDropoutKind = defineLayer({
  type: "gaussianDropout",
  fields: { rate: fraction() },
  mask: "passes",
  outputShape: (_, input) => input,
  build({ rate }, scope, input) {
    if (!scope.training || rate === 0) return input;
    const { math } = scope;
    const deviation = Math.sqrt(rate / (1 - rate)); // that of dropout's factors
    const noise = normalNumbers(math, scope.randomKey(), sizesOf(input.value), input.value);
    return { ...input, value: math.mul(input.value, math.add(math.mul(noise, deviation), 1)) };
  },
});

/**
 * While training, multiplies each element by normal noise of mean 1 and the variance that dropout of this rate has.
 *
 * - Shapes: as it enters. Modes: outside training it does nothing. Masks: handed on.
 * - Randomness: a hash of (seed, step, layer, element). Range: `rate` from 0 up to but without 1.
 * - ONNX: integer operators, Log, Sqrt, Cos, Mul, Add; absent from exported models.
 * - Source: Srivastava et al. 2014, section 10.
 */
export const gaussianDropout = (rate: number, options: CommonOptions = {}): Layer =>
  gaussianDropoutKind.make({ rate, ...options });
