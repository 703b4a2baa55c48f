import { keepMask } from "../random/random-words.ts";
import { fraction } from "../schema/field.ts";
import { defineLayer } from "./define-layer.ts";
import type { CommonOptions, Layer } from "./layer.ts";

/** The table's entry of `dropout`. */
export const dropoutKind = defineLayer({
  type: "dropout",
  fields: { rate: fraction() },
  mask: "passes",
  outputShape: (_, input) => input,
  build({ rate }, scope, input) {
    if (!scope.training || rate === 0) return input;
    const { math } = scope;
    // Scaled while training, so that the sum stays the same on average and serving needs no dropout at all.
    const scaled = math.mul(input.value, 1 / (1 - rate));
    const keep = keepMask(math, input.value, scope.randomKey(), rate);
    return { ...input, value: math.where(keep, scaled, 0) };
  },
});

/**
 * While training, sets each element to 0 with probability `rate`, and the others to `x / (1 - rate)`.
 *
 * - Shapes: as it enters. Modes: outside training it does nothing.
 * - Randomness: a hash of (seed, step, layer, element); no state, so a resumed run drops the same elements.
 * - Range: `rate` from 0 up to but without 1.
 * - ONNX: Mul and Where behind a mask of integer operators; absent from exported models.
 */
export const dropout = (rate: number, options: CommonOptions = {}): Layer => dropoutKind.make({ rate, ...options });
