/** @file Dropout of whole channels, for features whose neighbours say nearly the same: one definition for 1, 2 and 3 axes. */
import { ShapeError } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { keptPlaces } from "../../random/random-words.ts";
import { keptAxis } from "../core/axis.ts";
import type { DefinedLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample } from "../shape.ts";
import { defineNoise } from "./define-noise.ts";

const define = (type: string, axes: number): DefinedLayer =>
  defineNoise({
    type,
    strength: "rate",
    check(input, where) {
      if (input.length !== axes + 1)
        throw new ShapeError(where, `expected samples of ${axes} axes and channels, received ${formatSample(input)}`);
    },
    write(math, { value, layout }, rate, key) {
      const channels = keptAxis(layout, axes, axes + 1);
      const sizes = sizesOf(value).map((size, axis) => (axis === 0 || axis === channels ? size : 1));
      const keep = keptPlaces(math, key, sizes, rate);
      // one factor a channel, 0 or 1 / (1 - rate)
      return math.mul(value, math.mul(math.cast(keep, value.dtype), 1 / (1 - rate)));
    },
  });

/** The table's entry of `spatialDropout1d`. */
export const spatialDropout1dKind = define("spatialDropout1d", 1);
/** The table's entry of `spatialDropout2d`. */
export const spatialDropout2dKind = define("spatialDropout2d", 2);
/** The table's entry of `spatialDropout3d`. */
export const spatialDropout3dKind = define("spatialDropout3d", 3);

/**
 * While training, sets whole channels of a sequence to 0 with probability `rate`, and multiplies the others by 1 / (1 - rate).
 *
 * - Shapes: [batch, steps, channels], as it enters. Modes: outside training it does nothing. Masks: handed on.
 * - Randomness: a hash of (seed, step, layer, sample, channel). Range: `rate` from 0 up to but without 1.
 * - ONNX: integer operators and Mul; absent from exported models.
 * - Source: Tompson et al. 2014, arXiv:1411.4280.
 */
export const spatialDropout1d = (rate: number, options: CommonOptions = {}): Layer =>
  spatialDropout1dKind.make({ rate, ...options });

/** `spatialDropout1d` for images: [batch, height, width, channels]. */
export const spatialDropout2d = (rate: number, options: CommonOptions = {}): Layer =>
  spatialDropout2dKind.make({ rate, ...options });

/** `spatialDropout1d` for volumes: [batch, depth, height, width, channels]. */
export const spatialDropout3d = (rate: number, options: CommonOptions = {}): Layer =>
  spatialDropout3dKind.make({ rate, ...options });
