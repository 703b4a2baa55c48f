/** @file Where samples come from: anything with a length and random access, or arrays in memory. */
import type { Tensor } from "@gristmill/onnx";
import type { InputFormat } from "../compile/input-format.ts";
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";

/** Arrays that samples are kept in. */
export type SampleArray = Float32Array | Uint8Array;
/** Arrays that answers are kept in: labels as int32, everything else as float32. */
export type TargetArray = Float32Array | Int32Array;

/** Where a source writes a batch: sample i of the batch starts at i times the sample's elements. */
export interface Batch {
  readonly x: SampleArray;
  readonly y: TargetArray;
}

/**
 * Samples with random access, such as a mapped file.
 *
 * - `x`: element type of the samples (`batch` writes such an array), sizes of one, and `scale`, the factor that makes
 *   them the model's input (1 when left out; 1 / 255 for pixels).
 * - `batch` writes the samples and answers of these indices, in this order.
 */
export interface Source {
  readonly length: number;
  readonly x: { readonly dtype: "float32" | "uint8"; readonly shape: readonly number[]; readonly scale?: number };
  batch(indices: Uint32Array, into: Batch): void | Promise<void>;
}

/** Samples in memory: a tensor (or sizes and a typed array), with an optional `scale`; or nested lists of numbers. */
export type Samples =
  | (Pick<Tensor, "shape"> & { readonly data: Tensor["data"]; readonly scale?: number })
  | NestedNumbers;

/** Numbers, or lists of equal length of them, and so on. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

/** Samples with their answers. */
export interface LabelledData {
  readonly x: Samples;
  readonly y: Samples;
}

/** Elements of one sample. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Format of a source's samples. */
export const formatOf = ({ x }: Source): InputFormat => ({ dtype: x.dtype, scale: x.scale ?? 1 });

/** @throws DataError when a source's samples do not have the model's sizes. */
export function checkSource(source: Source, inputShape: readonly number[]): void {
  if (source.x.shape.join() !== inputShape.join())
    throw new DataError(
      `x: expected samples of [${inputShape.join(", ")}], received samples of [${source.x.shape.join(", ")}]; reshape the data or change the model's inputShape`,
    );
}

/** @throws DataError naming the first label that is no class. */
export function checkLabels(labels: TargetArray, { classes }: TargetSpec): void {
  if (classes === undefined) return;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? 0;
    if (label < 0 || label >= classes)
      throw new DataError(
        `y: expected labels from 0 to ${classes - 1}, received ${label}; the last layer has ${classes} outputs`,
      );
  }
}
