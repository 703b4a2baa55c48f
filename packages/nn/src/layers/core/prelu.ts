import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { defineLayer } from "../define-layer.ts";
import { toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { knownSize, type SampleShape } from "../shape.ts";
import type { Storage } from "../storage.ts";
import { axesField, sampleAxes } from "./axis.ts";
import { besideFeatures } from "./storage.ts";

/** Axes of a sample along which slopes differ. */
const slopeAxes = (sharedAxes: readonly number[], input: SampleShape, where: string): number[] => {
  const shared = sampleAxes(sharedAxes, input, where);
  return input.map((_, axis) => axis).filter((axis) => !shared.includes(axis));
};

/** The table's entry of `prelu`. */
export const preluKind = defineLayer({
  type: "prelu",
  fields: {
    alphaInitializer: initializerField("zeros"),
    alphaRegularizer: regularizerField(),
    sharedAxes: axesField([], 0),
  },
  mask: "passes",
  outputShape({ sharedAxes }, input, where) {
    for (const axis of slopeAxes(sharedAxes, input, where)) knownSize(input, axis, where);
    return input;
  },
  parameters({ alphaInitializer, alphaRegularizer, sharedAxes }, input) {
    const own = slopeAxes(sharedAxes, input, "prelu");
    const shape = input.map((size, axis) => (own.includes(axis) ? (size ?? 1) : 1));
    return [{ name: "alpha", shape, initializer: alphaInitializer, regularizer: alphaRegularizer ?? undefined }];
  },
  build({ sharedAxes }, { math, path, weight }, input) {
    const features = input.layout.kind === "flatChannelsFirst" ? toPlain(math, input) : input;
    const own = slopeAxes(sharedAxes, features.shape, path);
    // Keras keeps a 1 for each shared axis: the same elements in the same order
    const storage: Storage = besideFeatures(features, own);
    const value = math.builder.op("PRelu", [features.value, weight("alpha", storage)]);
    return { ...features, value };
  },
});

/** Settings of `prelu`. */
export interface PreluOptions extends CommonOptions {
  readonly alphaInitializer?: InitializerOption;
  readonly alphaRegularizer?: RegularizerOption;
  /** Axes along which one slope serves all: [1, 2] for one a channel of images. */
  readonly sharedAxes?: number | readonly number[];
}

/**
 * x where it is positive, `alpha * x` elsewhere, with slopes that are learned.
 *
 * - Shapes: as it enters; alpha has the sizes of a sample, with 1 on `sharedAxes`.
 * - Defaults: `alphaInitializer` zeros, `sharedAxes` none: a slope for every element.
 * - ONNX: PRelu. Source: He et al. 2015, arXiv:1502.01852.
 */
export const prelu = (options: PreluOptions = {}): Layer => preluKind.make({ ...options });
