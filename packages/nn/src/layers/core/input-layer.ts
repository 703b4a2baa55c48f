import { sampleShape } from "../../schema/field.ts";
import { Problems } from "../../schema/problems.ts";
import { defineLayer } from "../define-layer.ts";
import type { Layer } from "../layer.ts";
import type { SampleShape } from "../shape.ts";

/** The table's entry of `inputLayer`. */
export const inputLayerKind = defineLayer({
  type: "inputLayer",
  fields: {},
  mask: "passes",
  outputShape: (_, input) => input,
  build: (_, _scope, input) => input,
});

/** Says the sizes of one sample, in place of `inputShape` on the first layer. */
export const inputLayer = (inputShape: SampleShape, options: { readonly name?: string } = {}): Layer => {
  const problems = new Problems();
  sampleShape().read(inputShape, "inputLayer.inputShape", problems);
  problems.throwIfAny();
  return inputLayerKind.make({ inputShape, ...options });
};
