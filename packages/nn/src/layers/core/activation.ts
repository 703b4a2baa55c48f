import { type ActivationOption, activate, activatedShape, anyActivationField } from "../../activations/field.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `activation`. */
export const activationKind = defineLayer({
  type: "activation",
  fields: { activation: anyActivationField() },
  mask: "passes",
  outputShape: ({ activation }, input) => activatedShape(activation, input),
  build: ({ activation }, { math }, input) => activate(math, activation, input),
});

/** An activation as a layer of its own: "relu", or {"type": "relu", "maxValue": 6}. Shapes: as it enters; glu halves the last axis. */
export const activation = (name: ActivationOption, options: CommonOptions = {}): Layer =>
  activationKind.make({ activation: name, ...options });
