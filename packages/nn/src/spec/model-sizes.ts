import { countOf } from "../initializers/initializer.ts";
import type { SampleShape } from "../layers/shape.ts";
import { parseModel } from "./model-spec.ts";

/** What goes into a model, what comes out, and how much of it is trained. */
export interface ModelSizes {
  /** Sizes of one sample of the first input; null for sizes that differ from batch to batch. */
  readonly inputShape: SampleShape;
  /** Sizes of one answer of the first output. */
  readonly outputShape: SampleShape;
  readonly inputs: readonly { readonly name: string; readonly shape: SampleShape }[];
  readonly outputs: readonly { readonly name: string; readonly shape: SampleShape }[];
  /** Numbers that training changes. */
  readonly parameterCount: number;
}

/**
 * Sizes of a described model. Pure, as `parseSpec`: no weights are allocated, however many there would be.
 * @throws SpecError listing every problem.
 */
export function modelSizes(spec: unknown): ModelSizes {
  const { inputs, outputs, weights } = parseModel(spec).plan;
  const parameterCount = weights.reduce(
    (sum, { parameter, trainable }) => sum + (trainable ? countOf(parameter.shape) : 0),
    0,
  );
  return {
    inputShape: inputs[0]?.shape ?? [],
    outputShape: outputs[0]?.shape ?? [],
    inputs: inputs.map(({ name, shape }) => ({ name, shape })),
    outputs: outputs.map(({ name, shape }) => ({ name, shape })),
    parameterCount,
  };
}
