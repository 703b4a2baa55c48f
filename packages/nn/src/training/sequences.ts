/** @file Samples of different lengths as one array: the shorter ones are filled up. */
import { DataError } from "../errors.ts";
import { isRecord } from "../schema/problems.ts";
import { elementsOf, type NestedNumbers } from "./source.ts";

/**
 * One sample: a number for each step, or equally long lists of numbers for each step; or its sizes [steps, ...] with a typed
 * array.
 */
export type Sequence =
  | NestedNumbers
  | Float32Array
  | Int32Array
  | Uint8Array
  | { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array | Uint8Array };

/** How sequences are filled up. */
export interface PadOptions {
  /** Steps of each; the longest's when left out. */
  readonly length?: number;
  /** Fills up behind ("post", when left out) or before. What is too long is cut on the same side. */
  readonly padding?: "post" | "pre";
  /** What steps are filled with, 0: what `masking` and `maskZero` leave out. */
  readonly padValue?: number;
}

/** A sequence as numbers in a row. */
export interface Steps {
  readonly length: number;
  /** Sizes of one step. */
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Reads a sequence. @throws DataError for lists that are not equally long, and for arrays that do not fit their sizes */
export function readSequence(sequence: unknown, what: string): Steps {
  if (ArrayBuffer.isView(sequence) && !(sequence instanceof DataView)) {
    const data = sequence as unknown as ArrayLike<number>;
    return { length: data.length, shape: [], data };
  }
  if (Array.isArray(sequence)) return readNested(sequence, what);
  const [shape, data] = isRecord(sequence) ? [sequence["shape"], sequence["data"]] : [];
  if (!Array.isArray(shape) || shape.length === 0 || !ArrayBuffer.isView(data))
    throw new DataError(`${what}: expected a list, a typed array, or { shape: [steps, ...], data }`);
  const [sizes, numbers] = [shape.map(Number), data as unknown as ArrayLike<number>];
  if (elementsOf(sizes) !== numbers.length)
    throw new DataError(
      `${what}: expected ${elementsOf(sizes)} numbers for [${sizes.join(", ")}], received ${numbers.length}`,
    );
  return { length: sizes[0] ?? 0, shape: sizes.slice(1), data: numbers };
}

function readNested(sequence: readonly unknown[], what: string): Steps {
  const shape: number[] = [];
  for (let at: unknown = sequence[0]; Array.isArray(at); at = at[0]) shape.push(at.length);
  const data = sequence.flat(shape.length + 1);
  const fits = (value: unknown, depth: number): boolean =>
    depth === shape.length
      ? typeof value === "number"
      : Array.isArray(value) && value.length === shape[depth] && value.every((item) => fits(item, depth + 1));
  if (!sequence.every((step) => fits(step, 0)))
    throw new DataError(`${what}: expected steps of [${shape.join(", ")}] numbers each; one differs`);
  return { length: sequence.length, shape, data: data as readonly number[] };
}

/** The sizes of a step that all have; sequences without a step have none of their own. @throws DataError when two differ */
export function stepShape(sequences: readonly Steps[], what: string): readonly number[] {
  const [first, ...others] = sequences.filter(({ length }) => length > 0);
  const other = others.find(({ shape }) => shape.join() !== first?.shape.join());
  if (first !== undefined && other !== undefined)
    throw new DataError(
      `${what}: expected steps of one size, received [${first.shape.join(", ")}] and [${other.shape.join(", ")}]`,
    );
  return first?.shape ?? [];
}

/** float32 [count, length, ...step] of sequences that have been read. */
export function padded(
  sequences: readonly Steps[],
  step: readonly number[],
  length: number,
  { padding = "post", padValue = 0 }: PadOptions,
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const size = elementsOf(step);
  const data = new Float32Array(sequences.length * length * size).fill(padValue);
  for (const [i, { length: own, data: numbers }] of sequences.entries()) {
    const kept = Math.min(own, length);
    const from = padding === "post" ? 0 : own - kept;
    const to = i * length + (padding === "post" ? 0 : length - kept);
    for (let at = 0; at < kept * size; at++) data[to * size + at] = numbers[from * size + at] ?? padValue;
  }
  return { shape: [sequences.length, length, ...step], data };
}

/**
 * Sequences of different lengths as one array, float32 [count, length, ...step]: shorter ones are filled up, longer ones cut.
 * As Keras' `pad_sequences`, but filled up behind when nothing is said.
 * @throws DataError when steps differ in size
 */
export function padSequences(
  sequences: readonly Sequence[],
  options: PadOptions = {},
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const { length } = options;
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0))
    throw new DataError(`length: expected a whole number from 0, received ${length}`);
  const read = sequences.map((sequence, i) => readSequence(sequence, `sequence ${i}`));
  const longest = read.reduce((most, one) => Math.max(most, one.length), 0);
  return padded(read, stepShape(read, "sequences"), length ?? longest, options);
}
