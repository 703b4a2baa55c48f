import { sizesOf } from "../../graph/graph-math.ts";
import { normalNumbers } from "../../random/random-words.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { defineNoise } from "./define-noise.ts";

/** The table's entry of `gaussianNoise`. */
export const gaussianNoiseKind = defineNoise({
  type: "gaussianNoise",
  strength: "stddev",
  write: (math, { value }, stddev, key) =>
    math.add(value, math.mul(normalNumbers(math, key, sizesOf(value), value), stddev)),
});

/**
 * While training, adds normal noise of standard deviation `stddev` to each element: data that is never twice the same.
 *
 * - Shapes: as it enters. Modes: outside training it does nothing. Masks: handed on.
 * - Randomness: a hash of (seed, step, layer, element); no state, so a resumed run adds the same noise.
 * - ONNX: integer operators, Log, Sqrt, Cos, Mul, Add; absent from exported models.
 */
export const gaussianNoise = (stddev: number, options: CommonOptions = {}): Layer =>
  gaussianNoiseKind.make({ stddev, ...options });
