import { activate, activationField } from "../activations/field.ts";
import type { ActivationName } from "../activations/table.ts";
import { initializers } from "../initializers/table.ts";
import { flag, oneOf, size, sizePair } from "../schema/field.ts";
import { type KindSpec, kindField } from "../schema/kind.ts";
import { defineLayer } from "./define-layer.ts";
import { toChannelsFirst } from "./features.ts";
import type { CommonOptions, Layer } from "./layer.ts";
import { type Padding, slide } from "./window.ts";

/** Settings of `conv2d` beside its filters and kernel size. A number for both axes, or [height, width]. */
export interface Conv2dOptions extends CommonOptions {
  readonly strides?: number | readonly [number, number];
  readonly padding?: Padding;
  readonly dilations?: number | readonly [number, number];
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
  readonly kernelInitializer?: string | KindSpec;
  readonly biasInitializer?: string | KindSpec;
}

/** The table's entry of `conv2d`. */
export const conv2dKind = defineLayer({
  type: "conv2d",
  fields: {
    filters: size(),
    kernelSize: sizePair(),
    strides: sizePair([1, 1]),
    padding: oneOf(["valid", "same"], "valid"),
    dilations: sizePair([1, 1]),
    activation: activationField("linear"),
    useBias: flag(true),
    kernelInitializer: kindField(initializers, "an initializer", "glorotUniform"),
    biasInitializer: kindField(initializers, "an initializer", "zeros"),
  },
  check({ strides, dilations }, where, problems) {
    // Keras' rule, so that models go both ways
    if (Math.max(...strides) > 1 && Math.max(...dilations) > 1)
      problems.add(
        where,
        `expected strides or dilations of 1, received strides [${strides}] and dilations [${dilations}]`,
      );
  },
  outputShape(config, input, where) {
    return [...slide(input, windowOf(config), where).map, config.filters];
  },
  parameters({ filters, kernelSize, useBias, kernelInitializer, biasInitializer }, input) {
    const kernel = { name: "kernel", shape: [...kernelSize, input[2] ?? 1, filters], initializer: kernelInitializer };
    return useBias ? [kernel, { name: "bias", shape: [filters], initializer: biasInitializer }] : [kernel];
  },
  build(config, scope, input) {
    const { filters, kernelSize, strides, dilations, useBias, activation } = config;
    const { map, pads } = slide(input.shape, windowOf(config), "conv2d");
    const x = toChannelsFirst(scope.math, input); // [batch, channels, height, width]
    const channels = input.shape[2] ?? 1;
    // outside [height, width, in, out], as Keras; inside [out, in, height, width], as ONNX
    const kernel = scope.weight("kernel", {
      view: [...kernelSize, channels, filters],
      order: [3, 2, 0, 1],
      stored: [filters, channels, ...kernelSize],
    });
    const inputs = useBias ? [x, kernel, scope.weight("bias")] : [x, kernel];
    const value = scope.math.builder.op("Conv", inputs, { kernel_shape: kernelSize, strides, dilations, pads });
    return activate(scope.math, activation, { value, shape: [...map, filters], layout: { kind: "channelsFirst" } });
  },
});

const windowOf = (config: {
  kernelSize: readonly [number, number];
  strides: readonly [number, number];
  dilations: readonly [number, number];
  padding: Padding;
}) => ({ size: config.kernelSize, strides: config.strides, dilations: config.dilations, padding: config.padding });

/**
 * Convolution over images: every output is a weighted sum of a window, plus bias, through the activation.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', filters]; kernel
 *   [kernel height, kernel width, channels, filters], bias [filters].
 * - Defaults: `strides` 1, `padding` "valid", `dilations` 1, `activation` linear, `useBias` true, `kernelInitializer`
 *   glorotUniform, `biasInitializer` zeros. Strides and dilations cannot both be above 1.
 * - ONNX: Conv and the activation, channels first.
 */
export const conv2d = (
  filters: number,
  kernelSize: number | readonly [number, number],
  options: Conv2dOptions = {},
): Layer => conv2dKind.make({ filters, kernelSize, ...options });
