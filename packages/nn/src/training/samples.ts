/** @file Arrays in memory as a source: sizes are read, types are checked, and batches are copied out. */
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import { isRecord } from "../schema/problems.ts";
import {
  type Batch,
  elementsOf,
  type NestedNumbers,
  type SampleArray,
  type Samples,
  type Source,
  type TargetArray,
} from "./source.ts";

/** Samples with their sizes, first axis the count. */
interface Sized {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
  readonly scale: number;
}

const isNested = (value: unknown): value is NestedNumbers => Array.isArray(value);

/** Sizes and numbers of nested lists. @throws DataError when they are ragged. */
function flatten(nested: NestedNumbers, what: string): Sized {
  const shape: number[] = [];
  for (let at: unknown = nested; isNested(at); at = at[0]) shape.push(at.length);
  const data: number[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (depth === shape.length && typeof value === "number") data.push(value);
    else if (isNested(value) && value.length === shape[depth]) for (const item of value) visit(item, depth + 1);
    else
      throw new DataError(
        `${what}: expected lists of equal length with numbers inside, [${shape.join(", ")}]; one differs`,
      );
  };
  visit(nested, 0);
  return { shape, data: Float32Array.from(data), scale: 1 };
}

/** Reads samples. @throws DataError when they are no samples, or sizes and data differ. */
export function readSamples(value: unknown, what: string): Sized {
  if (isNested(value)) return flatten(value, what);
  const data = isRecord(value) ? value["data"] : undefined;
  const shape = isRecord(value) ? value["shape"] : undefined;
  const isNumbers = ArrayBuffer.isView(data) && !(data instanceof DataView);
  if (!isRecord(value) || !isNumbers || !Array.isArray(shape) || shape.length === 0)
    throw new DataError(`${what}: expected a tensor, { shape, data } with a typed array, or nested lists of numbers`);
  const sizes: number[] = shape.map(Number);
  const numbers = data as unknown as ArrayLike<number> | ArrayLike<bigint>;
  if (elementsOf(sizes) !== numbers.length)
    throw new DataError(
      `${what}: expected ${elementsOf(sizes)} numbers for [${sizes.join(", ")}], received ${numbers.length}`,
    );
  const scale = value["scale"] ?? 1;
  if (typeof scale !== "number" || !Number.isFinite(scale))
    throw new DataError(`${what}: expected scale to be a finite number, received ${String(scale)}`);
  return { shape: sizes, data: numbers, scale };
}

/** The data as the model takes it: bytes stay bytes, everything else becomes float32. */
const asSamples = (data: Sized["data"]): SampleArray =>
  data instanceof Float32Array || data instanceof Uint8Array ? data : Float32Array.from(data, Number);

const asTargets = (data: Sized["data"], dtype: TargetSpec["dtype"]): TargetArray => {
  if (dtype === "int32") return data instanceof Int32Array ? data : Int32Array.from(data, Number);
  return data instanceof Float32Array ? data : Float32Array.from(data, Number);
};

/** Samples alone, for prediction. */
export interface SampleSource {
  readonly length: number;
  readonly x: Required<Source["x"]>;
  /** Copies samples of these indices, in order. */
  copy(indices: Uint32Array, into: SampleArray): void;
}

/** @throws DataError when they are no samples. */
export function sampleSource(x: Samples): SampleSource {
  const { shape, data, scale } = readSamples(x, "x");
  const samples = asSamples(data);
  const [length = 0, ...sample] = shape;
  const size = elementsOf(sample);
  return {
    length,
    x: { dtype: samples instanceof Uint8Array ? "uint8" : "float32", shape: sample, scale },
    copy: (indices, into) => copyRows(samples, size, indices, into),
  };
}

function copyRows<A extends SampleArray | TargetArray>(from: A, size: number, indices: Uint32Array, into: A): void {
  for (let i = 0; i < indices.length; i++) {
    const start = (indices[i] ?? 0) * size;
    into.set(from.subarray(start, start + size), i * size);
  }
}

/**
 * Samples and their answers in memory as a source. Labels may be [count] or [count, 1].
 * @throws DataError when counts differ, or answers do not have the sizes that the loss wants.
 */
export function arraySource(x: Samples, y: Samples, target: TargetSpec): Source {
  const samples = sampleSource(x);
  const answers = readSamples(y, "y");
  const [count = 0, ...shape] = answers.shape;
  if (count !== samples.length)
    throw new DataError(`y: expected ${samples.length} answers, one per sample, received ${count}`);
  const hasSpareAxis = shape.at(-1) === 1 && shape.length === target.shape.length + 1;
  const lacksAxis = target.shape.at(-1) === 1 && shape.length === target.shape.length - 1;
  const fitted = hasSpareAxis ? shape.slice(0, -1) : lacksAxis ? [...shape, 1] : shape;
  if (fitted.join() !== target.shape.join())
    throw new DataError(
      `y: expected ${target.dtype === "int32" ? "labels" : "answers"} of [${["count", ...target.shape].join(", ")}], received [${answers.shape.join(", ")}]`,
    );
  const targets = asTargets(answers.data, target.dtype);
  const size = elementsOf(target.shape);
  return {
    length: samples.length,
    x: samples.x,
    batch(indices: Uint32Array, into: Batch) {
      samples.copy(indices, into.x);
      copyRows(targets, size, indices, into.y);
    },
  };
}

/** Some samples of a source as a source of its own: those from `start` up to `end`. */
export const part = (source: Source, start: number, end: number): Source => ({
  length: end - start,
  x: source.x,
  batch: (indices, into) =>
    source.batch(
      indices.map((index) => index + start),
      into,
    ),
});
