/** @file Arrays in memory as a table: sizes are read, types are checked, and batches are copied out. */
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import type { NetworkInput } from "../network/network.ts";
import { byName, type Sized } from "./read-samples.ts";
import {
  type Column,
  elementsOf,
  type LabelledData,
  lossShapeOf,
  type NamedSamples,
  named,
  type SampleArray,
  type Signature,
  sampleShapes,
  type Table,
} from "./source.ts";

/** One column in memory. */
interface Stored {
  readonly name: string;
  readonly column: Column;
  readonly data: SampleArray;
}

/** The data as the model takes it: bytes stay bytes for inputs of numbers. */
function storeInput({ data, shape, scale }: Sized, { name, dtype }: NetworkInput, what: string): Stored {
  const kept = dtype === "int32" ? asInts(data, what) : data instanceof Uint8Array ? data : asFloats(data);
  const kind = kept instanceof Uint8Array ? "uint8" : kept instanceof Int32Array ? "int32" : "float32";
  return { name: `x/${name}`, column: { dtype: kind, shape: shape.slice(1), scale }, data: kept };
}

/** Whole numbers as int32. @throws DataError for others, which a conversion would make labels or tokens of in silence */
function asInts(data: Sized["data"], what: string): Int32Array {
  if (data instanceof Int32Array) return data;
  const ints = Int32Array.from(data, Number);
  for (let i = 0; i < ints.length; i++)
    if (Number(data[i]) !== ints[i])
      throw new DataError(`${what}: expected whole numbers of 32 bits, received ${data[i]} at number ${i}`);
  return ints;
}

const asFloats = (data: Sized["data"]): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data, Number);

/** Which answers: the output they belong to, and how messages call them. */
interface Place {
  readonly name: string;
  readonly what: string;
}

/** What to do about labels where one-hot answers are wanted, and the other way round. */
function adviceOn(shape: readonly number[], target: TargetSpec): string {
  const width = target.shape.at(-1) ?? 1;
  const isLabel = target.dtype === "float32" && width > 1 && shape.join() === target.shape.slice(0, -1).join();
  if (isLabel && target.range !== undefined)
    return "; for labels use the loss sparseCategoricalCrossentropy, or make them one-hot";
  const isOneHot = shape.length === target.shape.length + 1 && shape.at(-1) === target.classes;
  return isOneHot ? "; for one-hot answers use the loss categoricalCrossentropy" : "";
}

/** Answers as the loss takes them. Labels may be [count] or [count, 1]. @throws DataError when sizes differ */
function storeTarget(answers: Sized, { name, what }: Place, target: TargetSpec): Stored {
  const shape = answers.shape.slice(1);
  const hasSpareAxis = shape.at(-1) === 1 && shape.length === target.shape.length + 1;
  const lacksAxis = target.shape.at(-1) === 1 && shape.length === target.shape.length - 1;
  const fitted = hasSpareAxis ? shape.slice(0, -1) : lacksAxis ? [...shape, 1] : shape;
  if (fitted.join() !== target.shape.join())
    throw new DataError(
      `${what}: expected ${target.dtype === "int32" ? "labels" : "answers"} of [${["count", ...target.shape].join(", ")}], received [${answers.shape.join(", ")}]${adviceOn(fitted, target)}`,
    );
  const data = target.dtype === "int32" ? asInts(answers.data, what) : asFloats(answers.data);
  return { name: `y/${name}`, column: { dtype: target.dtype, shape: target.shape }, data };
}

/**
 * Weights of samples, or of answers one by one; [count, 1] for [count], as Keras has it.
 * @throws DataError when they are neither, or below 0
 */
function storeWeight(weights: Sized, name: string, target: TargetSpec, what: string): Stored {
  const most = lossShapeOf(target);
  const given = weights.shape.slice(1);
  const shape = given.length === most.length + 1 && given.at(-1) === 1 ? given.slice(0, -1) : given;
  if (shape.length > most.length || shape.some((size, axis) => size !== most[axis]))
    throw new DataError(
      `${what}: expected [count]${most.length === 0 ? "" : `, or a weight for each answer [${["count", ...most].join(", ")}]`}, received [${weights.shape.join(", ")}]`,
    );
  const data = asFloats(weights.data);
  const wrong = data.findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (wrong >= 0) throw new DataError(`${what}: expected numbers from 0, received ${data[wrong]} at ${wrong}`);
  return { name: `weight/${name}`, column: { dtype: "float32", shape }, data };
}

const tableOf = (length: number, columns: readonly Stored[]): Table => ({
  length,
  columns: Object.fromEntries(columns.map(({ name, column }) => [name, column])),
  batch(indices, into) {
    for (const { name, column, data } of columns) {
      const target = into[name];
      if (target !== undefined) copyRows(data, elementsOf(column.shape), indices, target);
    }
  },
});

function copyRows(from: SampleArray, size: number, indices: Uint32Array, into: SampleArray): void {
  for (let i = 0; i < indices.length; i++) {
    const start = (indices[i] ?? 0) * size;
    into.set(from.subarray(start, start + size), i * size);
  }
}

/** The one count of several arrays. @throws DataError when they differ */
function countOf(arrays: ReadonlyMap<string, Sized>, what: string, expected?: number, things = "answers"): number {
  let count = expected;
  for (const { shape } of arrays.values()) {
    if (count !== undefined && shape[0] !== count)
      throw new DataError(`${what}: expected ${count} ${things}, one per sample, received ${shape[0]}`);
    count = shape[0];
  }
  return count ?? 0;
}

/** Samples alone, for prediction. @throws DataError when they do not fit the inputs */
export function sampleTable(x: NamedSamples, inputs: readonly NetworkInput[]): Table {
  const { count, columns } = inputColumns(x, inputs);
  return tableOf(count, columns);
}

function inputColumns(x: NamedSamples, inputs: readonly NetworkInput[]): { count: number; columns: Stored[] } {
  const names = inputs.map(({ name }) => name);
  const given = byName(x, names, "x");
  const columns = inputs.flatMap((input) => {
    const [sized, what] = [given.get(input.name), named("x", input.name, names)];
    // an empty list has no sizes to compare
    if (sized?.shape.length === 1 && sized.shape[0] === 0 && input.shape.length > 0)
      throw new DataError(`${what}: expected at least one sample, received none`);
    return sized === undefined ? [] : [storeInput(sized, input, what)];
  });
  sampleShapes({ columns: Object.fromEntries(columns.map(({ name, column }) => [name, column])) }, inputs);
  return { count: countOf(given, "x", undefined, "samples in each input"), columns };
}

/**
 * Samples and their answers in memory as a table.
 * @throws DataError when counts differ, or answers do not have the sizes that the losses want.
 */
export function arrayTable({ x, y, sampleWeight }: LabelledData, signature: Signature): Table {
  const { count, columns } = inputColumns(x, signature.inputs);
  const shapes = columns.map(({ column }) => column.shape);
  const targets = signature.targets(shapes);
  const names = [...targets.keys()];
  const answers = byName(y, names, "y");
  countOf(answers, "y", count);
  const weights =
    sampleWeight === undefined ? new Map<string, Sized>() : byName(sampleWeight, names, "sampleWeight", { some: true });
  countOf(weights, "sampleWeight", count, "weights");
  const stored = [...targets].flatMap(([name, target]) => {
    const [answer, weight] = [answers.get(name), weights.get(name)];
    return [
      ...(answer === undefined ? [] : [storeTarget(answer, { name, what: named("y", name, names) }, target)]),
      ...(weight === undefined ? [] : [storeWeight(weight, name, target, named("sampleWeight", name, names))]),
    ];
  });
  return tableOf(count, [...columns, ...stored]);
}
