/** @file Layers that repeat, or fill in between, the places of sequences, images and volumes. */
import { tensor, type Value } from "@gristmill/onnx";
import { oneOf, size } from "../../schema/field.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { type Features, toChannelsFirst } from "../features.ts";
import type { CommonOptions, Layer, LayerScope } from "../layer.ts";
import type { SampleShape } from "../shape.ts";
import { sizes } from "../spatial/fields.ts";
import { type Rank, spatialShape } from "../spatial/window.ts";

/** How places in between are filled. */
export type Interpolation = "nearest" | "bilinear";

const modes: { readonly [I in Interpolation]: { mode: string; coordinate_transformation_mode: string } } = {
  nearest: { mode: "nearest", coordinate_transformation_mode: "asymmetric" },
  bilinear: { mode: "linear", coordinate_transformation_mode: "half_pixel" },
};

/** Resizes [batch, channels, ...] by factors, pixel centres kept apart as Keras does. */
function scale({ math }: LayerScope, input: Features, factors: readonly number[], how: Interpolation): Value {
  const scales = math.builder.constant(tensor("float32", [factors.length + 2], Float32Array.of(1, 1, ...factors)));
  const x = toChannelsFirst(math, input);
  return math.builder.op("Resize", [x, undefined, scales], { ...modes[how], nearest_mode: "floor" });
}

/** The factor that makes `from` places `to`: rounded so that no place is lost, as 5 * (7 / 5) in float32 is below 7. */
function factorTo(from: number, to: number): number {
  const factor = Math.fround(to / from);
  return Math.fround(from * factor) < to || from * factor < to ? Math.fround(factor * (1 + 2 ** -22)) : factor;
}

const larger = (input: SampleShape, factors: readonly number[], rank: Rank, where: string): SampleShape => {
  const { sizes: map, channels } = spatialShape(input, rank, where);
  return [...map.map((one, axis) => (one === null ? null : one * (factors[axis] ?? 1))), channels];
};

function define(rank: Rank): DefinedLayer {
  const interpolation = oneOf<Interpolation>(rank === 2 ? ["nearest", "bilinear"] : ["nearest"], "nearest");
  return defineLayer({
    type: `upSampling${rank}d`,
    fields: { size: sizes(rank, 2), interpolation },
    outputShape: (config, input, where) => larger(input, config.size, rank, where),
    build: (config, scope, input) => ({
      value: scale(scope, input, config.size, config.interpolation),
      shape: larger(input.shape, config.size, rank, scope.path),
      layout: { kind: "channelsFirst" },
    }),
  });
}

/** The table's entry of `upSampling1d`. */
export const upSampling1dKind = define(1);
/** The table's entry of `upSampling2d`. */
export const upSampling2dKind = define(2);
/** The table's entry of `upSampling3d`. */
export const upSampling3dKind = define(3);

/** The table's entry of `resizing`. */
export const resizingKind = defineLayer({
  type: "resizing",
  fields: {
    height: size(),
    width: size(),
    interpolation: oneOf<Interpolation>(["bilinear", "nearest"], "bilinear"),
  },
  outputShape: ({ height, width }, input, where) => [height, width, spatialShape(input, 2, where).channels],
  build({ height, width, interpolation }, scope, input) {
    const { sizes: map, channels } = spatialShape(input.shape, 2, scope.path);
    const factors = [height, width].map((to, axis) => factorTo(map[axis] ?? to, to));
    return {
      value: scale(scope, input, factors, interpolation),
      shape: [height, width, channels],
      layout: { kind: "channelsFirst" },
    };
  },
});

/** Each step of [batch, steps, channels] `size` (2) times. ONNX: Resize. */
export const upSampling1d = (size: number = 2, options: CommonOptions = {}): Layer =>
  upSampling1dKind.make({ size, ...options });

/** Settings of `upSampling2d` beside its size. */
export interface UpSampling2dOptions extends CommonOptions {
  readonly interpolation?: Interpolation;
}

/**
 * Makes images [batch, height, width, channels] `size` (2, or [rows, columns]) times as large.
 *
 * - Defaults: `interpolation` "nearest"; "bilinear" fills in between, pixel centres kept apart. ONNX: Resize.
 */
export const upSampling2d = (size: number | readonly number[] = 2, options: UpSampling2dOptions = {}): Layer =>
  upSampling2dKind.make({ size, ...options });

/** Each voxel of [batch, depth, height, width, channels] `size` (2) times along each axis. ONNX: Resize. */
export const upSampling3d = (size: number | readonly number[] = 2, options: CommonOptions = {}): Layer =>
  upSampling3dKind.make({ size, ...options });

/**
 * Images of any size, known when the model is made, to [height, width].
 *
 * - Defaults: `interpolation` "bilinear", pixel centres kept apart, without antialiasing. ONNX: Resize.
 */
export const resizing = (height: number, width: number, options: UpSampling2dOptions = {}): Layer =>
  resizingKind.make({ height, width, ...options });
