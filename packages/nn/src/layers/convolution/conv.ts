/** @file Convolutions over sequences, images and volumes: one definition for every number of axes. */
import { ShapeError } from "@gristmill/onnx";
import { activate } from "../../activations/field.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { size } from "../../schema/field.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { toChannelsFirst } from "../features.ts";
import type { Layer } from "../layer.ts";
import { type Rank, slide, spatialShape } from "../spatial/window.ts";
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

/** Settings of `conv1d`, `conv2d` and `conv3d` beside their filters and kernel size. */
export interface ConvOptions extends ConvolutionOptions {
  /** Splits the channels into so many parts with filters of their own, 1. */
  readonly groups?: number;
  readonly kernelInitializer?: InitializerOption;
  readonly kernelRegularizer?: RegularizerOption;
}

function defineConv(rank: Rank): DefinedLayer {
  const type = `conv${rank}d`;
  const fields = {
    filters: size(),
    ...convolutionFields(rank),
    groups: size(1),
    kernelInitializer: initializerField("glorotUniform"),
    kernelRegularizer: regularizerField(),
  };
  return defineLayer({
    type,
    fields,
    mask: "reads",
    check(config, where, problems) {
      checkWindow(config, where, problems);
      if (config.filters % config.groups !== 0)
        problems.add(
          where,
          `expected filters to be a multiple of groups, received ${config.filters} and ${config.groups}`,
        );
    },
    outputShape(config, input, where) {
      const { channels } = spatialShape(input, rank, where);
      if (channels % config.groups !== 0)
        throw new ShapeError(
          where,
          `expected channels to be a multiple of groups ${config.groups}, received ${channels}`,
        );
      return [...slide(input, rank, windowOf(config), where).map, config.filters];
    },
    parameters(config, input) {
      const { filters, kernelSize, groups } = config;
      const { channels } = spatialShape(input, rank, type);
      return [
        {
          name: "kernel",
          shape: [...kernelSize, channels / groups, filters],
          initializer: config.kernelInitializer,
          regularizer: config.kernelRegularizer ?? undefined,
        },
        ...biasOf(config, filters),
      ];
    },
    build(config, scope, input) {
      const { filters, kernelSize, strides, groups, useBias, activation, padding } = config;
      const { map, pads } = slide(input.shape, rank, windowOf(config), scope.path);
      const keepsSteps = rank === 1 && padding !== "valid" && Math.max(...strides) === 1;
      if (input.mask !== undefined && !keepsSteps)
        throw new ShapeError(
          scope.path,
          'expected samples without a mask, received one of [batch, steps]: its steps are others than the answer\'s; use padding "same" or "causal" and strides of 1, or leave out the masking',
        );
      const x = toChannelsFirst(scope.math, input); // [batch, channels, ...]
      const channels = spatialShape(input.shape, rank, scope.path).channels / groups;
      // outside [..., in, out], as Keras; inside [out, in, ...], as ONNX
      const kernel = scope.weight("kernel", {
        view: [...kernelSize, channels, filters],
        order: [rank + 1, rank, ...axesOf(rank)],
        stored: [filters, channels, ...kernelSize],
      });
      const value = scope.math.builder.op("Conv", useBias ? [x, kernel, scope.weight("bias")] : [x, kernel], {
        ...windowAttributes(config),
        pads,
        ...(groups === 1 ? {} : { group: groups }),
      });
      const made = activate(scope.math, activation, {
        value,
        shape: [...map, filters],
        layout: { kind: "channelsFirst" },
      });
      return { ...made, mask: input.mask };
    },
  });
}

/** The table's entry of `conv1d`. */
export const conv1dKind = defineConv(1);
/** The table's entry of `conv2d`. */
export const conv2dKind = defineConv(2);
/** The table's entry of `conv3d`. */
export const conv3dKind = defineConv(3);

/**
 * Convolution over sequences: every output is a weighted sum of a window, plus bias, through the activation.
 *
 * - Shapes: x [batch, steps, channels] → y [batch, steps', filters]; kernel [size, channels / groups, filters], bias [filters].
 * - Defaults: `strides` 1, `padding` "valid", `dilations` 1, `groups` 1, `activation` linear, `useBias` true,
 *   `kernelInitializer` glorotUniform, `biasInitializer` zeros. Strides and dilations cannot both be above 1.
 * - Masks: handed on where the answer has the same steps.
 * - ONNX: Conv and the activation, channels first.
 */
export const conv1d = (filters: number, kernelSize: PerAxis, options: ConvOptions = {}): Layer =>
  conv1dKind.make({ filters, kernelSize, ...options });

/**
 * Convolution over images: every output is a weighted sum of a window, plus bias, through the activation.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', filters]; kernel
 *   [kernel height, kernel width, channels / groups, filters], bias [filters].
 * - Defaults: `strides` 1, `padding` "valid", `dilations` 1, `groups` 1, `activation` linear, `useBias` true,
 *   `kernelInitializer` glorotUniform, `biasInitializer` zeros. Strides and dilations cannot both be above 1.
 * - ONNX: Conv and the activation, channels first.
 */
export const conv2d = (filters: number, kernelSize: PerAxis, options: ConvOptions = {}): Layer =>
  conv2dKind.make({ filters, kernelSize, ...options });

/**
 * Convolution over volumes, or over images and time.
 *
 * - Shapes: x [batch, depth, height, width, channels] → y [batch, depth', height', width', filters]; kernel
 *   [...kernelSize, channels / groups, filters], bias [filters].
 * - Defaults: those of `conv2d`.
 * - ONNX: Conv and the activation, channels first.
 */
export const conv3d = (filters: number, kernelSize: PerAxis, options: ConvOptions = {}): Layer =>
  conv3dKind.make({ filters, kernelSize, ...options });
