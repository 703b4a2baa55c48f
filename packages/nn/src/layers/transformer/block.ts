/** @file What transformer blocks share: their settings, and the way of every part: normalize, compute, drop, add to what came in. */
import { ShapeError } from "@gristmill/onnx";
import { type ActivationOption, type ActivationSpec, activationField } from "../../activations/field.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import type { SymbolicTensor } from "../../network/symbolic.ts";
import { flag, fraction, positive, size } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import { multiHeadAttention } from "../attention/multi-head-attention.ts";
import type { Rotary } from "../attention/rotary.ts";
import { rotaryField } from "../attention/rotary.ts";
import { denseKind } from "../core/dense.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { add } from "../merge/add.ts";
import { dropout } from "../noise/dropout.ts";
import { layerNormalization } from "../normalization/layer-normalization.ts";
import { formatSample, knownSize, type SampleShape } from "../shape.ts";

/** Fields of encoder and decoder, with KerasHub's defaults. */
export const blockFields = {
  intermediateDim: size(),
  numHeads: size(),
  dropout: fraction(0),
  activation: activationField("relu"),
  layerNormEpsilon: positive(1e-5),
  normalizeFirst: flag(false),
  rotary: rotaryField(),
  kernelInitializer: initializerField("glorotUniform"),
  biasInitializer: initializerField("zeros"),
};

/** Settings of encoder and decoder. */
export interface BlockOptions extends CommonOptions {
  /** Of attention weights and of what each part adds. */
  readonly dropout?: number;
  /** Between the two dense layers. */
  readonly activation?: ActivationOption;
  readonly layerNormEpsilon?: number;
  /** True: normalize before each part instead of behind it, which deep stacks train better with. */
  readonly normalizeFirst?: boolean;
  /** Rotary positions of queries and keys; none when left out. */
  readonly rotary?: Partial<Rotary> | null;
  readonly kernelInitializer?: InitializerOption;
  readonly biasInitializer?: InitializerOption;
}

/** The settings, read. */
export interface BlockConfig {
  readonly intermediateDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly activation: ActivationSpec;
  readonly layerNormEpsilon: number;
  readonly normalizeFirst: boolean;
  readonly rotary: Rotary | null;
  readonly kernelInitializer: KindSpec;
  readonly biasInitializer: KindSpec;
}

/** @throws ShapeError unless samples are [steps, width] and heads divide the width */
export function assertHeads(numHeads: number, input: SampleShape, where: string): void {
  if (input.length !== 2)
    throw new ShapeError(where, `expected samples of [steps, width], received ${formatSample(input)}`);
  if (knownSize(input, -1, where) % numHeads !== 0)
    throw new ShapeError(where, `expected a width that ${numHeads} heads divide, received ${formatSample(input)}`);
}

/** Width of the steps of a sequence whose shape was checked. */
export const widthOf = ({ shape }: SymbolicTensor): number => shape.at(-1) ?? 1;

/** Adds what a part makes of x to x, with the normalization before the part or behind the sum. */
export function residual(
  x: SymbolicTensor,
  name: string,
  { normalizeFirst, layerNormEpsilon, dropout: rate }: BlockConfig,
  part: (x: SymbolicTensor) => SymbolicTensor,
): SymbolicTensor {
  const norm = layerNormalization({ epsilon: layerNormEpsilon, name: `${name}_norm` });
  const made = part(normalizeFirst ? norm.apply(x) : x);
  const kept = rate === 0 ? made : dropout(rate, { name: `${name}_dropout` }).apply(made);
  const sum = add({ name: `${name}_add` }).apply([x, kept]);
  return normalizeFirst ? sum : norm.apply(sum);
}

/** The attention of a block for steps of a width. */
export function blockAttention(name: string, width: number, config: BlockConfig, useCausalMask: boolean): Layer {
  const { numHeads, rotary, kernelInitializer, biasInitializer, dropout: rate } = config;
  const more = { dropout: rate, useCausalMask, rotary, kernelInitializer, biasInitializer, name };
  return multiHeadAttention(numHeads, width / numHeads, more);
}

/** Two dense layers for each step by itself. */
export const feedForward =
  ({ intermediateDim, activation, kernelInitializer, biasInitializer }: BlockConfig) =>
  (x: SymbolicTensor): SymbolicTensor => {
    const more = { kernelInitializer, biasInitializer };
    const inner = denseKind
      .make({ ...more, units: intermediateDim, activation, name: "feedforward_intermediate" })
      .apply(x);
    return denseKind.make({ ...more, units: widthOf(x), name: "feedforward_output" }).apply(inner);
  };
