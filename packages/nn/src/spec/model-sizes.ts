import { countOf } from "../initializers/initializer.ts";
import { parseModel } from "./model-spec.ts";

/** What goes into a model, what comes out, and how much of it is trained. */
export interface ModelSizes {
  /** Sizes of one sample. */
  readonly inputShape: readonly number[];
  /** Sizes of one answer. */
  readonly outputShape: readonly number[];
  /** Numbers that training changes. */
  readonly parameterCount: number;
}

/**
 * Sizes of a described model. Pure, as `parseSpec`: no weights are allocated, however many there would be.
 * @throws SpecError listing every problem.
 */
export function modelSizes(spec: unknown): ModelSizes {
  const { inputShape, outputShape, weights } = parseModel(spec).plan;
  const parameterCount = weights.reduce((sum, { parameter }) => sum + countOf(parameter.shape), 0);
  return { inputShape, outputShape, parameterCount };
}
