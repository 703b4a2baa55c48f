import { sizesOf } from "../../graph/graph-math.ts";
import { keptPlaces } from "../../random/random-words.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { defineNoise } from "./define-noise.ts";

/** What selu goes to far below 0: -scale · alpha of Klambauer et al. */
const saturation = -1.0507009873554805 * 1.6732632423543772;

/** The table's entry of `alphaDropout`. */
export const alphaDropoutKind = defineNoise({
  type: "alphaDropout",
  strength: "rate",
  write(math, { value }, rate, key) {
    // y = a x' + b with x' = x or the saturation: mean 0 and variance 1 stay mean 0 and variance 1
    const a = 1 / Math.sqrt((1 - rate) * (1 + rate * saturation ** 2));
    const b = -a * saturation * rate;
    const keep = keptPlaces(math, key, sizesOf(value), rate);
    return math.where(keep, math.add(math.mul(value, a), b), a * saturation + b);
  },
});

/**
 * Dropout for layers with selu: what is dropped gets selu's lowest value, and mean and variance stay as they are.
 *
 * - Shapes: as it enters. Modes: outside training it does nothing. Masks: handed on.
 * - Randomness: a hash of (seed, step, layer, element). Range: `rate` from 0 up to but without 1.
 * - ONNX: integer operators, Mul, Add, Where; absent from exported models.
 * - Source: Klambauer et al. 2017, arXiv:1706.02515.
 */
export const alphaDropout = (rate: number, options: CommonOptions = {}): Layer =>
  alphaDropoutKind.make({ rate, ...options });
