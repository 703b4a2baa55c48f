/** @file The least time that a training step can take on this machine: its products at the measured rate, its bytes at theirs. */
import type { Model } from "@gristmill/nn";

/** What a step must do. */
export interface Work {
  /** Additions and multiplications. */
  readonly flops: number;
  /** Bytes that leave the caches at least once. */
  readonly bytes: number;
}

/** What a machine does in a second with some number of threads. */
export interface Rates {
  readonly gemmGflops: number;
  readonly memoryGbs: number;
}

/** Forward once; backward as much for the inputs and as much for the weights. */
const passes = 3;
/** Adam reads a weight, its gradient and two moments, and writes all but the gradient, which was written before. */
const bytesPerWeight = 8 * 4;
/** A layer's answer is written, and read by the layer behind it and by its gradient; its slope is written and read. */
const bytesPerAnswer = 5 * 4;

const countOf = (shape: readonly (number | null)[]): number =>
  shape.reduce<number>((product, size) => product * (size ?? 1), 1);

/** Layers whose answer is what entered, in other sizes: nothing moves. */
const views: readonly string[] = ["flatten", "reshape"];

/**
 * What a step of a batch of this size must do. Inside of composed layers only the arithmetic is counted, so the floor is low
 * there; what fits into a cache from one use to the next never meets the memory, so it is high for the smallest models.
 */
export function workOf(model: Model, batch: number): Work {
  const layers = model.layers();
  const answers = layers
    .filter(({ type }) => !views.includes(type))
    .flatMap(({ outputs }) => outputs)
    .reduce((sum, shape) => sum + countOf(shape), 0);
  const weights = layers.reduce((sum, { trainable }) => sum + trainable, 0);
  return {
    flops: passes * batch * layers.reduce((sum, { flops }) => sum + flops, 0),
    bytes: weights * bytesPerWeight + batch * answers * bytesPerAnswer,
  };
}

/** Milliseconds, as if products and memory could overlap entirely: the larger of the two. */
export const floorMs = ({ flops, bytes }: Work, { gemmGflops, memoryGbs }: Rates): number =>
  Math.max(flops / gemmGflops, bytes / memoryGbs) / 1e6;
