/** @file Arrays in memory as a table: sizes are read, types are checked, and batches are copied out. */
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import type { NetworkInput } from "../network/network.ts";
import { isRecord } from "../schema/problems.ts";
import {
  type Column,
  elementsOf,
  type LabelledData,
  type NamedSamples,
  type NestedNumbers,
  type SampleArray,
  type Samples,
  type Signature,
  sampleShapes,
  type Table,
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
  return { shape, data: Float64Array.from(data), scale: 1 };
}

/** Reads samples. @throws DataError when they are no samples, or sizes and data differ. */
function readSamples(value: unknown, what: string): Sized {
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

/** Samples by name; those without a name belong to the only one. @throws DataError when names differ from `names` */
function byName(data: NamedSamples | undefined, names: readonly string[], what: string): Map<string, Sized> {
  const isOne = isNested(data) || (isRecord(data) && ArrayBuffer.isView(data["data"])) || !isRecord(data);
  const [only = ""] = names;
  if (isOne) {
    if (names.length !== 1)
      throw new DataError(`${what}: expected samples by name, { ${names.join(", ")} }, received one array`);
    return new Map([[only, readSamples(data, what)]]);
  }
  const given = Object.entries(data as Readonly<Record<string, Samples>>);
  if (given.length !== names.length || given.some(([name]) => !names.includes(name)))
    throw new DataError(`${what}: expected ${names.join(", ")}, received ${given.map(([name]) => name).join(", ")}`);
  return new Map(given.map(([name, samples]) => [name, readSamples(samples, `${what}/${name}`)]));
}

/** One column in memory. */
interface Stored {
  readonly name: string;
  readonly column: Column;
  readonly data: SampleArray;
}

/** The data as the model takes it: bytes stay bytes for inputs of numbers. */
function storeInput({ data, shape, scale }: Sized, { name, dtype }: NetworkInput): Stored {
  const kept = dtype === "int32" ? asInts(data) : data instanceof Uint8Array ? data : asFloats(data);
  const kind = kept instanceof Uint8Array ? "uint8" : kept instanceof Int32Array ? "int32" : "float32";
  return { name: `x/${name}`, column: { dtype: kind, shape: shape.slice(1), scale }, data: kept };
}

const asInts = (data: Sized["data"]): Int32Array => (data instanceof Int32Array ? data : Int32Array.from(data, Number));
const asFloats = (data: Sized["data"]): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data, Number);

/** Answers as the loss takes them. Labels may be [count] or [count, 1]. @throws DataError when sizes differ */
function storeTarget(answers: Sized, name: string, target: TargetSpec): Stored {
  const shape = answers.shape.slice(1);
  const hasSpareAxis = shape.at(-1) === 1 && shape.length === target.shape.length + 1;
  const lacksAxis = target.shape.at(-1) === 1 && shape.length === target.shape.length - 1;
  const fitted = hasSpareAxis ? shape.slice(0, -1) : lacksAxis ? [...shape, 1] : shape;
  if (fitted.join() !== target.shape.join())
    throw new DataError(
      `y: expected ${target.dtype === "int32" ? "labels" : "answers"} of [${["count", ...target.shape].join(", ")}], received [${answers.shape.join(", ")}]`,
    );
  const data = target.dtype === "int32" ? asInts(answers.data) : asFloats(answers.data);
  return { name: `y/${name}`, column: { dtype: target.dtype, shape: target.shape }, data };
}

/** Weights of samples or of answers. @throws DataError when they are neither, or below 0 */
function storeWeight(weights: Sized, name: string, target: TargetSpec): Stored {
  const shape = weights.shape.slice(1);
  if (shape.length > target.shape.length || shape.some((size, axis) => size !== target.shape[axis]))
    throw new DataError(
      `sampleWeight: expected [count], or a weight for each answer [${["count", ...target.shape].join(", ")}], received [${weights.shape.join(", ")}]`,
    );
  const data = asFloats(weights.data);
  const wrong = data.findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (wrong >= 0) throw new DataError(`sampleWeight: expected numbers from 0, received ${data[wrong]} at ${wrong}`);
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
function countOf(arrays: ReadonlyMap<string, Sized>, what: string, expected?: number): number {
  let count = expected;
  for (const { shape } of arrays.values()) {
    if (count !== undefined && shape[0] !== count)
      throw new DataError(`${what}: expected ${count} answers, one per sample, received ${shape[0]}`);
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
  const given = byName(
    x,
    inputs.map(({ name }) => name),
    "x",
  );
  const columns = inputs.flatMap((input) => {
    const sized = given.get(input.name);
    // an empty list has no sizes to compare
    if (sized?.shape.length === 1 && sized.shape[0] === 0 && input.shape.length > 0)
      throw new DataError(
        `${inputs.length === 1 ? "x" : `x/${input.name}`}: expected at least one sample, received none`,
      );
    return sized === undefined ? [] : [storeInput(sized, input)];
  });
  sampleShapes({ columns: Object.fromEntries(columns.map(({ name, column }) => [name, column])) }, inputs);
  return { count: countOf(given, "x"), columns };
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
  const weights = sampleWeight === undefined ? new Map<string, Sized>() : byName(sampleWeight, names, "sampleWeight");
  countOf(weights, "sampleWeight", count);
  const stored = [...targets].flatMap(([name, target]) => {
    const [answer, weight] = [answers.get(name), weights.get(name)];
    return [
      ...(answer === undefined ? [] : [storeTarget(answer, name, target)]),
      ...(weight === undefined ? [] : [storeWeight(weight, name, target)]),
    ];
  });
  return tableOf(count, [...columns, ...stored]);
}
