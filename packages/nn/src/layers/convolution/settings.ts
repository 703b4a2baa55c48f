/** @file Settings that convolutions share, and what follows from them. */
import { type ActivationOption, activationField } from "../../activations/field.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { type Fields, flag, oneOf } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import type { Problems } from "../../schema/problems.ts";
import type { CommonOptions, Parameter } from "../layer.ts";
import { sizes } from "../spatial/fields.ts";
import type { Padding, Rank, Window } from "../spatial/window.ts";

/** A number for every axis, or one for each. */
export type PerAxis = number | readonly number[];

/** Settings that every convolution takes beside its size. */
export interface ConvolutionOptions extends CommonOptions {
  readonly strides?: PerAxis;
  readonly padding?: Padding;
  readonly dilations?: PerAxis;
  readonly activation?: ActivationOption;
  readonly useBias?: boolean;
  readonly biasInitializer?: InitializerOption;
  readonly biasRegularizer?: RegularizerOption;
}

/** Fields of the window and of what comes behind it. Causal padding makes sense along one axis only. */
export const convolutionFields = (rank: Rank) =>
  ({
    kernelSize: sizes(rank),
    strides: sizes(rank, 1),
    padding: oneOf<Padding>(rank === 1 ? ["valid", "same", "causal"] : ["valid", "same"], "valid"),
    dilations: sizes(rank, 1),
    activation: activationField("linear"),
    useBias: flag(true),
    biasInitializer: initializerField("zeros"),
    biasRegularizer: regularizerField(),
  }) satisfies Fields;

interface WindowConfig {
  readonly kernelSize: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
}

/** The window of a convolution. */
export const windowOf = ({ kernelSize, strides, dilations, padding }: WindowConfig): Window => ({
  size: kernelSize,
  strides,
  dilations,
  padding,
});

/** A window as ONNX's Conv and ConvTranspose are told of it. */
export const windowAttributes = ({ kernelSize, strides, dilations }: WindowConfig) => ({
  kernel_shape: kernelSize,
  strides,
  dilations,
});

/** Keras' rule, so that models go both ways: strides or dilations. */
export function checkWindow({ strides, dilations }: WindowConfig, where: string, problems: Problems): void {
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1)
    problems.add(
      where,
      `expected strides or dilations of 1, received strides [${strides}] and dilations [${dilations}]`,
    );
}

/** The bias of a convolution, where it has one. */
export const biasOf = (
  config: {
    readonly useBias: boolean;
    readonly biasInitializer: KindSpec;
    readonly biasRegularizer: KindSpec | null;
  },
  count: number,
): readonly Parameter[] =>
  config.useBias
    ? [
        {
          name: "bias",
          shape: [count],
          initializer: config.biasInitializer,
          regularizer: config.biasRegularizer ?? undefined,
        },
      ]
    : [];

/** 0 to count - 1: the axes that a window slides over. */
export const axesOf = (rank: Rank): readonly number[] => Array.from({ length: rank }, (_, axis) => axis);
