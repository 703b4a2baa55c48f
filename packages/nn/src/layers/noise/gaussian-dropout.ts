import { sizesOf } from "../../graph/graph-math.ts";
import { normalNumbers } from "../../random/random-words.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { defineNoise } from "./define-noise.ts";

/** The table's entry of `gaussianDropout`. */
export const gaussianDropoutKind = defineNoise({
  type: "gaussianDropout",
  strength: "rate",
  write(math, { value }, rate, key) {
    const deviation = Math.sqrt(rate / (1 - rate)); // that of dropout's factors
    const noise = normalNumbers(math, key, sizesOf(value), value);
    return math.mul(value, math.add(math.mul(noise, deviation), 1));
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
