import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";

/** The table's entry of `identity`. */
export const identityKind = defineLayer({
  type: "identity",
  fields: {},
  mask: "passes",
  outputShape: (_, input) => input,
  build: (_, _scope, input) => input,
});

/** Hands on what enters: a place with a name. Shapes: as it enters. */
export const identity = (options: CommonOptions = {}): Layer => identityKind.make({ ...options });
