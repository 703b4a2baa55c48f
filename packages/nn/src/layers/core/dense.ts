import { ShapeError } from "@gristmill/onnx";
import { type ActivationOption, activate, activationField } from "../../activations/field.ts";
import { linearMap } from "../../graph/linear-map.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { countOf } from "../../initializers/initializer.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { flag, size } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { knownSize } from "../shape.ts";
import { asShown, type Storage } from "../storage.ts";

/** Settings of `dense` beside its units. */
export interface DenseOptions extends CommonOptions {
  readonly activation?: ActivationOption;
  readonly useBias?: boolean;
  readonly kernelInitializer?: InitializerOption;
  readonly biasInitializer?: InitializerOption;
  readonly kernelRegularizer?: RegularizerOption;
  readonly biasRegularizer?: RegularizerOption;
}

/** The table's entry of `dense`. */
export const denseKind = defineLayer({
  type: "dense",
  mask: "passes",
  fields: {
    units: size(),
    activation: activationField("linear"),
    useBias: flag(true),
    kernelInitializer: initializerField("glorotUniform"),
    biasInitializer: initializerField("zeros"),
    kernelRegularizer: regularizerField(),
    biasRegularizer: regularizerField(),
  },
  outputShape({ units }, input, where) {
    if (input.length === 0)
      throw new ShapeError(where, "expected samples of at least one axis, received single numbers; use inputShape [1]");
    knownSize(input, -1, where);
    return [...input.slice(0, -1), units];
  },
  parameters({ units, useBias, ...config }, input) {
    const kernel = {
      name: "kernel",
      shape: [input.at(-1) ?? 1, units],
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer ?? undefined,
    };
    const bias = {
      name: "bias",
      shape: [units],
      initializer: config.biasInitializer,
      regularizer: config.biasRegularizer ?? undefined,
    };
    return useBias ? [kernel, bias] : [kernel];
  },
  build({ units, useBias, activation }, scope, input) {
    const { math } = scope;
    const { features, storage } = arranged(math, input, units);
    const kernel = scope.weight("kernel", storage);
    const value = linearMap(math, features.value, kernel, useBias ? scope.weight("bias") : undefined);
    return activate(math, activation, plain(value, [...features.shape.slice(0, -1), units]));
  },
});

/** A flat image is read in the order it is kept; the kernel's rows are kept in that order too, so nothing is copied. */
function arranged(
  math: Parameters<typeof toPlain>[0],
  input: Features,
  units: number,
): { features: Features; storage: Storage } {
  if (input.layout.kind === "flatChannelsFirst") {
    const { from } = input.layout;
    const channels = from.length - 1;
    const order = [channels, ...from.slice(0, -1).map((_, axis) => axis), from.length];
    return { features: input, storage: { view: [...from, units], order, stored: [countOf(from), units] } };
  }
  const features = toPlain(math, input);
  return { features, storage: asShown([features.shape.at(-1) ?? 1, units]) };
}

/**
 * Fully connected: `y = activation(x · kernel + bias)`, along the last axis.
 *
 * - Shapes: x [batch, ..., inputs] → y [batch, ..., units]; kernel [inputs, units], bias [units].
 * - Defaults: `activation` linear, `useBias` true, `kernelInitializer` glorotUniform, `biasInitializer` zeros, no regularizers.
 * - ONNX: Gemm and the activation.
 */
export const dense = (units: number, options: DenseOptions = {}): Layer => denseKind.make({ units, ...options });
