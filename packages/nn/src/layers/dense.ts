import { ShapeError } from "@gristmill/onnx";
import { activate, activationField } from "../activations/field.ts";
import type { ActivationName } from "../activations/table.ts";
import { initializers } from "../initializers/table.ts";
import { flag, size } from "../schema/field.ts";
import { type KindSpec, kindField } from "../schema/kind.ts";
import { type Features, toPlain } from "./features.ts";
import { type CommonOptions, defineLayer, type Layer } from "./layer.ts";
import { asShown, type Storage } from "./storage.ts";

/** Settings of `dense` beside its units. */
export interface DenseOptions extends CommonOptions {
  readonly activation?: ActivationName;
  readonly useBias?: boolean;
  readonly kernelInitializer?: string | KindSpec;
  readonly biasInitializer?: string | KindSpec;
}

/** The table's entry of `dense`. */
export const denseKind = defineLayer({
  type: "dense",
  fields: {
    units: size(),
    activation: activationField("linear"),
    useBias: flag(true),
    kernelInitializer: kindField(initializers, "an initializer", "glorotUniform"),
    biasInitializer: kindField(initializers, "an initializer", "zeros"),
  },
  outputShape({ units }, input, where) {
    if (input.length === 0)
      throw new ShapeError(where, "expected samples of at least one axis, received single numbers; use inputShape [1]");
    return [...input.slice(0, -1), units];
  },
  parameters({ units, useBias, kernelInitializer, biasInitializer }, input) {
    const kernel = { name: "kernel", shape: [input.at(-1) ?? 1, units], initializer: kernelInitializer };
    return useBias ? [kernel, { name: "bias", shape: [units], initializer: biasInitializer }] : [kernel];
  },
  build({ units, useBias, activation }, scope, input) {
    const { math } = scope;
    const { features, storage } = arranged(scope.math, input, units);
    const inputs = features.shape.at(-1) ?? 1;
    const rows = math.reshape(features.value, [-1, inputs]); // [batch * other axes, inputs]
    const kernel = scope.weight("kernel", storage);
    const product = math.builder.op("Gemm", useBias ? [rows, kernel, scope.weight("bias")] : [rows, kernel]);
    const shape = [...features.shape.slice(0, -1), units];
    const value = shape.length === 1 ? product : math.reshape(product, [-1, ...shape]);
    return activate(math, activation, { value, shape, layout: { kind: "plain" } });
  },
});

/** A flat image is read in the order it is kept; the kernel's rows are kept in that order too, so nothing is copied. */
function arranged(
  math: Parameters<typeof toPlain>[0],
  input: Features,
  units: number,
): { features: Features; storage: Storage } {
  if (input.layout.kind === "flatChannelsFirst") {
    const [height, width, channels] = input.layout.from;
    const inputs = height * width * channels;
    const storage = { view: [height, width, channels, units], order: [2, 0, 1, 3], stored: [inputs, units] };
    return { features: input, storage };
  }
  const features = toPlain(math, input);
  return { features, storage: asShown([features.shape.at(-1) ?? 1, units]) };
}

/**
 * Fully connected: `y = activation(x · kernel + bias)`, along the last axis.
 *
 * - Shapes: x [batch, ..., inputs] → y [batch, ..., units]; kernel [inputs, units], bias [units].
 * - Defaults: `activation` linear, `useBias` true, `kernelInitializer` glorotUniform, `biasInitializer` zeros.
 * - ONNX: Gemm and the activation.
 */
export const dense = (units: number, options: DenseOptions = {}): Layer => denseKind.make({ units, ...options });
