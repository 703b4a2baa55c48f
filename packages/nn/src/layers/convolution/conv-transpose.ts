/** @file Convolutions the other way round, which make maps larger: each input spreads a weighted kernel over the output. */
import { ShapeError } from "@gristmill/onnx";
import { activate } from "../../activations/field.ts";
import { initializerField } from "../../initializers/field.ts";
import { regularizerField } from "../../regularizers/field.ts";
import { size } from "../../schema/field.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { toChannelsFirst } from "../features.ts";
import type { Layer } from "../layer.ts";
import { formatSample, type SampleShape } from "../shape.ts";
import { optionalCounts } from "../spatial/fields.ts";
import { type Padding, type Rank, spatialShape } from "../spatial/window.ts";
import type { ConvOptions } from "./conv.ts";
import { axesOf, biasOf, checkWindow, convolutionFields, type PerAxis, windowAttributes } from "./settings.ts";

/** Settings of the transposed convolutions beside their filters and kernel size. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "groups"> {
  readonly padding?: "valid" | "same";
  /** How much larger than the smallest possible the output is; below the strides. */
  readonly outputPadding?: PerAxis;
}

interface SpreadConfig {
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly outputPadding: readonly number[] | null;
}

/** Keras' length of one axis. */
function lengthOf(length: number, span: number, stride: number, padding: Padding, extra: number | undefined): number {
  if (extra === undefined) return padding === "same" ? length * stride : length * stride + Math.max(span - stride, 0);
  const pad = padding === "same" ? Math.floor(span / 2) : 0;
  return (length - 1) * stride + span - 2 * pad + extra;
}

/** The output's sizes, and how much of what the kernels cover is cut off, or missing, at the ends. */
function spread(input: SampleShape, rank: Rank, config: SpreadConfig, where: string) {
  const { sizes } = spatialShape(input, rank, where);
  const axes = sizes.map((length, axis) => {
    if (length === null) throw new ShapeError(where, `expected known sizes, received ${formatSample(input)}`);
    const [kernel = 1, stride = 1, dilation = 1] = [
      config.kernelSize[axis],
      config.strides[axis],
      config.dilations[axis],
    ];
    const span = (kernel - 1) * dilation + 1;
    const size = lengthOf(length, span, stride, config.padding, config.outputPadding?.[axis]);
    // TensorFlow's rule: of an odd number the larger half is cut off behind
    const cut = (length - 1) * stride + span - size;
    const before = Math.max(0, Math.floor(cut / 2));
    return { size, before, after: Math.max(0, cut) - before, missing: Math.max(0, -cut) };
  });
  return {
    map: axes.map((axis) => axis.size),
    pads: [...axes.map((axis) => axis.before), ...axes.map((axis) => axis.after)],
    output_padding: axes.map((axis) => axis.missing),
  };
}

function defineConvTranspose(rank: Rank): DefinedLayer {
  const type = `conv${rank}dTranspose`;
  const fields = {
    filters: size(),
    ...convolutionFields(rank),
    outputPadding: optionalCounts(rank),
    kernelInitializer: initializerField("glorotUniform"),
    kernelRegularizer: regularizerField(),
  };
  return defineLayer({
    type,
    fields,
    check(config, where, problems) {
      checkWindow(config, where, problems);
      if (config.padding === "causal")
        problems.add(`${where}.padding`, 'expected "valid" or "same", received "causal"');
      const { outputPadding, strides } = config;
      if (outputPadding?.some((extra, axis) => extra >= (strides[axis] ?? 1)))
        problems.add(
          `${where}.outputPadding`,
          `expected less than the strides [${strides}], received [${outputPadding}]`,
        );
    },
    outputShape: (config, input, where) => [...spread(input, rank, config, where).map, config.filters],
    parameters(config, input) {
      const { channels } = spatialShape(input, rank, type);
      return [
        {
          name: "kernel",
          shape: [...config.kernelSize, config.filters, channels],
          initializer: config.kernelInitializer,
          regularizer: config.kernelRegularizer ?? undefined,
        },
        ...biasOf(config, config.filters),
      ];
    },
    build(config, scope, input) {
      const { filters, kernelSize, useBias, activation } = config;
      const { map, ...sizes } = spread(input.shape, rank, config, scope.path);
      const { channels } = spatialShape(input.shape, rank, scope.path);
      // outside [..., out, in], as Keras; inside [in, out, ...], as ONNX
      const kernel = scope.weight("kernel", {
        view: [...kernelSize, filters, channels],
        order: [rank + 1, rank, ...axesOf(rank)],
        stored: [channels, filters, ...kernelSize],
      });
      const x = toChannelsFirst(scope.math, input);
      const inputs = useBias ? [x, kernel, scope.weight("bias")] : [x, kernel];
      const value = scope.math.builder.op("ConvTranspose", inputs, {
        ...windowAttributes(config),
        ...sizes,
      });
      return activate(scope.math, activation, { value, shape: [...map, filters], layout: { kind: "channelsFirst" } });
    },
  });
}

/** The table's entry of `conv1dTranspose`. */
export const conv1dTransposeKind = defineConvTranspose(1);
/** The table's entry of `conv2dTranspose`. */
export const conv2dTransposeKind = defineConvTranspose(2);
/** The table's entry of `conv3dTranspose`. */
export const conv3dTransposeKind = defineConvTranspose(3);

/**
 * Transposed convolution over sequences; what `conv2dTranspose` says holds along one axis.
 *
 * - Shapes: x [batch, steps, channels] → y [batch, steps', filters]; kernel [size, filters, channels], bias [filters].
 */
export const conv1dTranspose = (filters: number, kernelSize: PerAxis, options: ConvTransposeOptions = {}): Layer =>
  conv1dTransposeKind.make({ filters, kernelSize, ...options });

/**
 * Transposed convolution over images: makes them `strides` times as large.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', filters]; kernel [kernel height, kernel width,
 *   filters, channels], bias [filters]. With padding "same" height' is height * stride; with "valid" max(kernel - stride, 0) more;
 *   with `outputPadding` Keras' formula for it.
 * - Defaults: those of `conv2d`. ONNX: ConvTranspose, channels first.
 */
export const conv2dTranspose = (filters: number, kernelSize: PerAxis, options: ConvTransposeOptions = {}): Layer =>
  conv2dTransposeKind.make({ filters, kernelSize, ...options });

/**
 * Transposed convolution over volumes; what `conv2dTranspose` says holds along three axes.
 *
 * - Shapes: x [batch, depth, height, width, channels] → y [batch, depth', height', width', filters]; kernel
 *   [...kernelSize, filters, channels], bias [filters].
 */
export const conv3dTranspose = (filters: number, kernelSize: PerAxis, options: ConvTransposeOptions = {}): Layer =>
  conv3dTransposeKind.make({ filters, kernelSize, ...options });
