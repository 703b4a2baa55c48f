import { activate, activationField } from "../activations/field.ts";
import type { ActivationName } from "../activations/table.ts";
import { defineLayer } from "./define-layer.ts";
import type { CommonOptions, Layer } from "./layer.ts";

/** The table's entry of `activation`. */
export const activationKind = defineLayer({
  type: "activation",
  fields: { activation: activationField() },
  mask: "passes",
  outputShape: (_, input) => input,
  build: ({ activation }, { math }, input) => activate(math, activation, input),
});

/** An activation as a layer of its own. Shapes: as it enters. */
export const activation = (name: ActivationName, options: CommonOptions = {}): Layer =>
  activationKind.make({ activation: name, ...options });
