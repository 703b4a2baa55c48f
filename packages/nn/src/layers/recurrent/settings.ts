/** @file Settings of recurrent layers: of the walk along the steps, and of the weights that Keras' three cells have. */
import { type ActivationOption, activationField } from "../../activations/field.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { type ConfigOf, type Field, flag, fraction, size } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import type { CommonOptions, Parameter } from "../layer.ts";

/** How a recurrent layer walks its steps, and what it answers with. */
export interface WalkOptions extends CommonOptions {
  /** The answer of every step instead of the last one's. */
  readonly returnSequences?: boolean;
  /** The last states as further outputs. */
  readonly returnState?: boolean;
  /** From the last step to the first; sequences come out in that order too. */
  readonly goBackwards?: boolean;
  /** The next batch goes on from the states where this one stopped. Needs `batchSize`. */
  readonly stateful?: boolean;
  /** Samples of every batch, for `stateful`: each has its own memory. */
  readonly batchSize?: number;
  /** Masked steps answer zeros instead of the last answer before them. */
  readonly zeroOutputForMask?: boolean;
}

/** Settings of the weights of `simpleRnn`, `lstm` and `gru`. */
export interface RecurrentOptions extends WalkOptions {
  readonly activation?: ActivationOption;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerOption;
  readonly recurrentInitializer?: InitializerOption;
  readonly biasInitializer?: InitializerOption;
  readonly kernelRegularizer?: RegularizerOption;
  readonly recurrentRegularizer?: RegularizerOption;
  readonly biasRegularizer?: RegularizerOption;
  /** Share of the features that is dropped while training, the same ones in every step of a sample. */
  readonly dropout?: number;
  /** Share of the state that is dropped from the products, the same elements in every step of a sample. */
  readonly recurrentDropout?: number;
}

const sizeOrNone: Field<number | null> = {
  expected: "a whole number from 1, or null for none",
  fallback: null,
  read: (value, where, problems) => (value === null ? null : size().read(value, where, problems)),
};

/** Fields of the walk. */
export const walkFields = {
  returnSequences: flag(false),
  returnState: flag(false),
  goBackwards: flag(false),
  stateful: flag(false),
  batchSize: sizeOrNone,
  zeroOutputForMask: flag(false),
};

/** Settings of the walk, read. */
export type WalkConfig = ConfigOf<typeof walkFields>;

/** Fields of the weights. */
export const weightFields = {
  units: size(),
  activation: activationField("tanh"),
  useBias: flag(true),
  kernelInitializer: initializerField("glorotUniform"),
  recurrentInitializer: initializerField("orthogonal"),
  biasInitializer: initializerField("zeros"),
  kernelRegularizer: regularizerField(),
  recurrentRegularizer: regularizerField(),
  biasRegularizer: regularizerField(),
  dropout: fraction(0),
  recurrentDropout: fraction(0),
};

/** Settings of the weights, read. */
export type WeightConfig = ConfigOf<typeof weightFields>;

/**
 * Kernel [features, gates * units], recurrent kernel [units, gates * units] and bias, as Keras has them.
 * @param bias shape and initializer of the bias, where they are not [gates * units] and `biasInitializer`.
 */
export function gateParameters(
  config: WeightConfig,
  features: number,
  gates: number,
  bias: { readonly shape?: readonly number[]; readonly initializer?: KindSpec } = {},
): readonly Parameter[] {
  const width = gates * config.units;
  const kernels: Parameter[] = [
    {
      name: "kernel",
      shape: [features, width],
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer ?? undefined,
    },
    {
      name: "recurrent_kernel",
      shape: [config.units, width],
      initializer: config.recurrentInitializer,
      regularizer: config.recurrentRegularizer ?? undefined,
    },
  ];
  if (!config.useBias) return kernels;
  const { shape = [width], initializer = config.biasInitializer } = bias;
  return [...kernels, { name: "bias", shape, initializer, regularizer: config.biasRegularizer ?? undefined }];
}
