/** @file Dropout of whole channels, for features whose neighbours say nearly the same: one definition for 1, 2 and 3 axes. */
import { ShapeError } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { keptPlaces } from "../../random/random-words.ts";
import { fraction } from "../../schema/field.ts";
import { keptAxis } from "../core/axis.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample } from "../shape.ts";

const define = (type: string, axes: number): DefinedLayer =>
  defineLayer({
    type,
    fields: { rate: fraction() },
    mask: "passes",
    outputShape(_, input, where) {
      if (input.length !== axes + 1)
        throw new ShapeError(where, `expected samples of ${axes} axes and channels, received ${formatSample(input)}`);
      return input;
    },
    build({ rate }, scope, input) {
      if (!scope.training || rate === 0) return input;
      const { math } = scope;
      const channels = keptAxis(input.layout, axes, axes + 1);
      const sizes = sizesOf(input.value).map((size, axis) => (axis === 0 || axis === channels ? size : 1));
      const keep = keptPlaces(math, scope.randomKey(), sizes, rate);
      // one factor a channel, 0 or 1 / (1 - rate)
      const factor = math.mul(math.cast(keep, input.value.dtype), 1 / (1 - rate));
      return { ...input, value: math.mul(input.value, factor) };
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
