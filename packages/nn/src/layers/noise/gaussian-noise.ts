import { sizesOf } from "../../graph/graph-math.ts";
import { normalNumbers } from "../../random/random-words.ts";
import { numberWhere } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `gaussianNoise`. */
export const gaussianNoiseKind = defineLayer({
  type: "gaussianNoise",
  fields: { stddev: numberWhere("a number from 0", (value) => value >= 0) },
  mask: "passes",
  outputShape: (_, input) => input,
  build({ stddev }, scope, input) {
    if (!scope.training || stddev === 0) return input;
    const { math } = scope;
    const noise = normalNumbers(math, scope.randomKey(), sizesOf(input.value), input.value);
    return { ...input, value: math.add(input.value, math.mul(noise, stddev)) };
  },
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
