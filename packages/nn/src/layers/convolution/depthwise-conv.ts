/** @file Convolutions of each channel by itself, and those with a product over the channels behind. */
import type { Value } from "@gristmill/onnx";
import { activate } from "../../activations/field.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { size } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { type Features, toChannelsFirst } from "../features.ts";
import type { Layer, LayerScope, Parameter } from "../layer.ts";
import type { SampleShape } from "../shape.ts";
import { type Padding, type Rank, slide, spatialShape } from "../spatial/window.ts";
import {
  axesOf,
  biasOf,
  type ConvolutionOptions,
  checkWindow,
  convolutionFields,
  type PerAxis,
  windowAttributes,
  windowOf,
} from "./settings.ts";

/** Settings of `depthwiseConv1d` and `depthwiseConv2d` beside their kernel size. */
export interface DepthwiseConvOptions extends ConvolutionOptions {
  /** Filters for each channel, 1. */
  readonly depthMultiplier?: number;
  readonly depthwiseInitializer?: InitializerOption;
  readonly depthwiseRegularizer?: RegularizerOption;
}

/** Settings of `separableConv1d` and `separableConv2d` beside their filters and kernel size. */
export interface SeparableConvOptions extends DepthwiseConvOptions {
  readonly pointwiseInitializer?: InitializerOption;
  readonly pointwiseRegularizer?: RegularizerOption;
}

const depthwiseFields = (rank: Rank) => ({
  ...convolutionFields(rank),
  depthMultiplier: size(1),
  depthwiseInitializer: initializerField("glorotUniform"),
  depthwiseRegularizer: regularizerField(),
});

interface DepthwiseConfig {
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly depthMultiplier: number;
  readonly depthwiseInitializer: KindSpec;
  readonly depthwiseRegularizer: KindSpec | null;
}

const depthwiseKernel = (config: DepthwiseConfig, name: string, channels: number): Parameter => ({
  name,
  shape: [...config.kernelSize, channels, config.depthMultiplier],
  initializer: config.depthwiseInitializer,
  regularizer: config.depthwiseRegularizer ?? undefined,
});

/** The channels' own convolutions: [batch, channels * multiplier, ...], those of one channel next to each other. */
function writeDepthwise(
  config: DepthwiseConfig,
  rank: Rank,
  scope: LayerScope,
  input: Features,
  name: string,
  bias: Value | undefined,
): { value: Value; map: SampleShape; channels: number } {
  const { kernelSize, depthMultiplier } = config;
  const { channels } = spatialShape(input.shape, rank, scope.path);
  const { map, pads } = slide(input.shape, rank, windowOf(config), scope.path);
  const kernel = scope.weight(name, {
    view: [...kernelSize, channels, depthMultiplier],
    order: [rank, rank + 1, ...axesOf(rank)],
    stored: [channels * depthMultiplier, 1, ...kernelSize],
  });
  const x = toChannelsFirst(scope.math, input);
  const value = scope.math.builder.op("Conv", bias === undefined ? [x, kernel] : [x, kernel, bias], {
    ...windowAttributes(config),
    pads,
    group: channels,
  });
  return { value, map, channels: channels * depthMultiplier };
}

function defineDepthwise(rank: 1 | 2): DefinedLayer {
  const type = `depthwiseConv${rank}d`;
  return defineLayer({
    type,
    fields: depthwiseFields(rank),
    check: checkWindow,
    outputShape(config, input, where) {
      const { channels } = spatialShape(input, rank, where);
      return [...slide(input, rank, windowOf(config), where).map, channels * config.depthMultiplier];
    },
    parameters(config, input) {
      const { channels } = spatialShape(input, rank, type);
      return [depthwiseKernel(config, "kernel", channels), ...biasOf(config, channels * config.depthMultiplier)];
    },
    build(config, scope, input) {
      const bias = config.useBias ? scope.weight("bias") : undefined;
      const { value, map, channels } = writeDepthwise(config, rank, scope, input, "kernel", bias);
      const shape = [...map, channels];
      return activate(scope.math, config.activation, { value, shape, layout: { kind: "channelsFirst" } });
    },
  });
}

function defineSeparable(rank: 1 | 2): DefinedLayer {
  const type = `separableConv${rank}d`;
  const fields = {
    filters: size(),
    ...depthwiseFields(rank),
    pointwiseInitializer: initializerField("glorotUniform"),
    pointwiseRegularizer: regularizerField(),
  };
  return defineLayer({
    type,
    fields,
    check: checkWindow,
    outputShape: (config, input, where) => [...slide(input, rank, windowOf(config), where).map, config.filters],
    parameters(config, input) {
      const { channels } = spatialShape(input, rank, type);
      const pointwise = {
        name: "pointwise_kernel",
        shape: [...new Array<number>(rank).fill(1), channels * config.depthMultiplier, config.filters],
        initializer: config.pointwiseInitializer,
        regularizer: config.pointwiseRegularizer ?? undefined,
      };
      return [depthwiseKernel(config, "depthwise_kernel", channels), pointwise, ...biasOf(config, config.filters)];
    },
    build(config, scope, input) {
      const { filters, useBias, activation } = config;
      const depthwise = writeDepthwise(config, rank, scope, input, "depthwise_kernel", undefined);
      const ones = new Array<number>(rank).fill(1);
      const kernel = scope.weight("pointwise_kernel", {
        view: [...ones, depthwise.channels, filters],
        order: [rank + 1, rank, ...axesOf(rank)],
        stored: [filters, depthwise.channels, ...ones],
      });
      const inputs = useBias ? [depthwise.value, kernel, scope.weight("bias")] : [depthwise.value, kernel];
      const value = scope.math.builder.op("Conv", inputs, { kernel_shape: ones });
      const shape = [...depthwise.map, filters];
      return activate(scope.math, activation, { value, shape, layout: { kind: "channelsFirst" } });
    },
  });
}

/** The table's entry of `depthwiseConv1d`. */
export const depthwiseConv1dKind = defineDepthwise(1);
/** The table's entry of `depthwiseConv2d`. */
export const depthwiseConv2dKind = defineDepthwise(2);
/** The table's entry of `separableConv1d`. */
export const separableConv1dKind = defineSeparable(1);
/** The table's entry of `separableConv2d`. */
export const separableConv2dKind = defineSeparable(2);

/**
 * Convolution of each channel by itself, over sequences.
 *
 * - Shapes: x [batch, steps, channels] → y [batch, steps', channels * depthMultiplier]; kernel [size, channels,
 *   depthMultiplier], bias [channels * depthMultiplier].
 * - Defaults: those of `conv1d`, and `depthMultiplier` 1. ONNX: Conv with as many groups as channels.
 */
export const depthwiseConv1d = (kernelSize: PerAxis, options: DepthwiseConvOptions = {}): Layer =>
  depthwiseConv1dKind.make({ kernelSize, ...options });

/**
 * Convolution of each channel by itself, over images.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', channels * depthMultiplier]; kernel
 *   [kernel height, kernel width, channels, depthMultiplier], bias [channels * depthMultiplier].
 * - Defaults: those of `conv2d`, and `depthMultiplier` 1. ONNX: Conv with as many groups as channels.
 */
export const depthwiseConv2d = (kernelSize: PerAxis, options: DepthwiseConvOptions = {}): Layer =>
  depthwiseConv2dKind.make({ kernelSize, ...options });

/**
 * `depthwiseConv1d`, then a product over the channels: fewer weights than `conv1d` for almost the same.
 *
 * - Shapes: x [batch, steps, channels] → y [batch, steps', filters]; depthwise_kernel [size, channels, depthMultiplier],
 *   pointwise_kernel [1, channels * depthMultiplier, filters], bias [filters].
 * - Source: Chollet 2016, arXiv:1610.02357.
 */
export const separableConv1d = (filters: number, kernelSize: PerAxis, options: SeparableConvOptions = {}): Layer =>
  separableConv1dKind.make({ filters, kernelSize, ...options });

/**
 * `depthwiseConv2d`, then a product over the channels: fewer weights than `conv2d` for almost the same.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', filters]; depthwise_kernel [kernel height,
 *   kernel width, channels, depthMultiplier], pointwise_kernel [1, 1, channels * depthMultiplier, filters], bias [filters].
 * - Source: Chollet 2016, arXiv:1610.02357.
 */
export const separableConv2d = (filters: number, kernelSize: PerAxis, options: SeparableConvOptions = {}): Layer =>
  separableConv2dKind.make({ filters, kernelSize, ...options });
