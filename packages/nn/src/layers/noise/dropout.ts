import { keepMask } from "../../random/random-words.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { defineNoise } from "./define-noise.ts";

/** The table's entry of `dropout`. */
export const dropoutKind = defineNoise({
  type: "dropout",
  strength: "rate",
  write(math, { value }, rate, key) {
    // Scaled while training, so that the sum stays the same on average and serving needs no dropout at all.
    const scaled = math.mul(value, 1 / (1 - rate));
    return math.where(keepMask(math, value, key, rate), scaled, 0);
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
