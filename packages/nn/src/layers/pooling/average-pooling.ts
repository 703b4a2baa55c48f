/** @file The means of windows over sequences, images and volumes. */
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { toChannelsFirst } from "../features.ts";
import type { Layer } from "../layer.ts";
import { type Rank, spatialShape } from "../spatial/window.ts";
import { type PoolingOptions, type PoolSize, poolingFields, poolStrides, slidePool } from "./pool.ts";

const define = (rank: Rank): DefinedLayer =>
  defineLayer({
    type: `averagePooling${rank}d`,
    fields: poolingFields(rank),
    outputShape: (config, input, where) => [
      ...slidePool(config, rank, input, where).map,
      spatialShape(input, rank, where).channels,
    ],
    build(config, { math, path }, input) {
      const { map, pads } = slidePool(config, rank, input.shape, path);
      const value = math.builder.op("AveragePool", [toChannelsFirst(math, input)], {
        kernel_shape: config.poolSize,
        strides: poolStrides(config),
        pads,
        count_include_pad: 0, // Keras: padding is not counted
      });
      const { channels } = spatialShape(input.shape, rank, path);
      return { value, shape: [...map, channels], layout: { kind: "channelsFirst" } };
    },
  });

/** The table's entry of `averagePooling1d`. */
export const averagePooling1dKind = define(1);
/** The table's entry of `averagePooling2d`. */
export const averagePooling2dKind = define(2);
/** The table's entry of `averagePooling3d`. */
export const averagePooling3dKind = define(3);

/**
 * The mean of each window of a sequence, per channel; padding is not counted.
 *
 * - Shapes: x [batch, steps, channels] → y [batch, steps', channels]. Defaults and ONNX: those of `averagePooling2d`.
 */
export const averagePooling1d = (poolSize: PoolSize = 2, options: PoolingOptions = {}): Layer =>
  averagePooling1dKind.make({ poolSize, ...options });

/**
 * The mean of each window of an image, per channel; padding is not counted.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', channels].
 * - Defaults: `poolSize` 2, `strides` the pool's size, `padding` "valid".
 * - ONNX: AveragePool, channels first.
 */
export const averagePooling2d = (poolSize: PoolSize = 2, options: PoolingOptions = {}): Layer =>
  averagePooling2dKind.make({ poolSize, ...options });

/**
 * The mean of each window of a volume, per channel; padding is not counted.
 *
 * - Shapes: x [batch, depth, height, width, channels] → y [batch, depth', height', width', channels]. Defaults and ONNX:
 *   those of `averagePooling2d`.
 */
export const averagePooling3d = (poolSize: PoolSize = 2, options: PoolingOptions = {}): Layer =>
  averagePooling3dKind.make({ poolSize, ...options });
