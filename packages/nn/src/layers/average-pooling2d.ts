import { defineLayer } from "./define-layer.ts";
import { toChannelsFirst } from "./features.ts";
import type { Layer } from "./layer.ts";
import { type Pooling2dOptions, poolingFields, poolStrides, slidePool } from "./pooling2d.ts";

/** The table's entry of `averagePooling2d`. */
export const averagePooling2dKind = defineLayer({
  type: "averagePooling2d",
  fields: poolingFields,
  outputShape: (config, input, where) => [...slidePool(config, input, where).map, input[2] ?? 1],
  build(config, { math }, input) {
    const { map, pads } = slidePool(config, input.shape, "averagePooling2d");
    const x = toChannelsFirst(math, input);
    const value = math.builder.op("AveragePool", [x], {
      kernel_shape: config.poolSize,
      strides: poolStrides(config),
      pads,
      count_include_pad: 0, // Keras: padding is not counted
    });
    return { value, shape: [...map, input.shape[2] ?? 1], layout: { kind: "channelsFirst" } };
  },
});

/**
 * The mean of each window, per channel; padding is not counted.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', channels].
 * - Defaults: `poolSize` 2, `strides` the pool's size, `padding` "valid".
 * - ONNX: AveragePool, channels first.
 */
export const averagePooling2d = (
  poolSize: number | readonly [number, number] = 2,
  options: Pooling2dOptions = {},
): Layer => averagePooling2dKind.make({ poolSize, ...options });
