/** @file Where samples come from: anything with a length and random access, or arrays in memory. */
import type { Tensor } from "@gristmill/onnx";
import { DataError } from "../errors.ts";
import { formatSample, type SampleShape } from "../layers/shape.ts";
import type { TargetSpec } from "../losses/loss.ts";
import type { NetworkInput } from "../network/network.ts";
import { isRecord, shown } from "../schema/problems.ts";

/** Arrays that samples are kept in. */
export type SampleArray = Float32Array | Uint8Array | Int32Array;
/** Arrays that answers are kept in: labels as int32, everything else as float32. */
export type TargetArray = Float32Array | Int32Array;

/** Numbers of one kind that belong to each sample. */
export interface Column {
  readonly dtype: "float32" | "uint8" | "int32";
  /** Sizes of one sample. */
  readonly shape: readonly number[];
  /** The factor that makes them the model's numbers: 1 when left out, 1 / 255 for pixels. */
  readonly scale?: number;
}

/** Where a source writes a batch: sample i of the batch starts at i times the sample's elements. */
export interface Batch {
  readonly x: SampleArray;
  readonly y: TargetArray;
}

/**
 * Samples of a model of one input and one output, with random access, such as a mapped file.
 * `batch` writes the samples and answers of these indices, in this order.
 */
export interface Source {
  readonly length: number;
  readonly x: Column;
  batch(indices: Uint32Array, into: Batch): void | Promise<void>;
}

/**
 * Samples with random access for any model. Columns are "x/INPUT" for each input, "y/OUTPUT" for each output, and
 * "weight/OUTPUT" where answers count differently. `batch` writes the rows of these indices, in this order.
 */
export interface Table {
  readonly length: number;
  readonly columns: Readonly<Record<string, Column>>;
  batch(indices: Uint32Array, into: Readonly<Record<string, SampleArray>>): void | Promise<void>;
}

/** Samples in memory: a tensor (or sizes and a typed array), with an optional `scale`; or nested lists of numbers. */
export type Samples =
  | (Pick<Tensor, "shape"> & { readonly data: Tensor["data"]; readonly scale?: number })
  | NestedNumbers;

/** Numbers, or lists of equal length of them, and so on. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

/** Samples of a model's only input or output; or of each by its name. */
export type NamedSamples = Samples | Readonly<Record<string, Samples>>;

/** Samples with their answers, and how much each counts. */
export interface LabelledData {
  readonly x: NamedSamples;
  readonly y: NamedSamples;
  /** [count], or [count, ...answers] for each answer of its own. */
  readonly sampleWeight?: NamedSamples | undefined;
}

/** What a model takes and gives, as far as data must know. */
export interface Signature {
  readonly inputs: readonly NetworkInput[];
  /** What the answers look like, by output, for samples of these sizes. @throws ShapeError, SpecError */
  targets(shapes: readonly SampleShape[]): ReadonlyMap<string, TargetSpec>;
  /** Outputs that a mask goes with, for samples of these sizes: what it drops may be anything. */
  masked(shapes: readonly SampleShape[]): ReadonlySet<string>;
  /** Of inputs of whole numbers that are looked up: they count from 0 up to but without this. */
  readonly vocabularies: ReadonlyMap<string, number>;
}

/** What messages call the data of one of several inputs or outputs: "y" of the only one, else "y/NAME". */
export const named = (what: string, name: string, all: readonly string[]): string =>
  all.length > 1 ? `${what}/${name}` : what;

/** Sizes of the numbers that a loss makes of one sample: as many weights an answer may have. */
export const lossShapeOf = ({ dtype, shape, lossShape }: TargetSpec): readonly number[] =>
  lossShape ?? (dtype === "int32" ? shape : shape.slice(0, -1));

/** Elements of one sample. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** True for a source of a single input and output. */
export const isSource = (data: unknown): data is Source =>
  isRecord(data) && isRecord(data["x"]) && typeof data["batch"] === "function" && !("columns" in data);

/** True for a table. */
export const isTable = (data: unknown): data is Table =>
  isRecord(data) && isRecord(data["columns"]) && typeof data["batch"] === "function";

const prefixed = (prefix: string, columns: Readonly<Record<string, Column>>): [string, Column][] =>
  Object.entries(columns).flatMap(([name, column]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), column]] : [],
  );

/** The columns of a table by what they are. */
export const columnsOf = (columns: Readonly<Record<string, Column>>, what: "x" | "y" | "weight"): Map<string, Column> =>
  new Map(prefixed(`${what}/`, columns));

/** Sizes of a table's samples, in the order of a model's inputs. @throws DataError when one does not fit */
export function sampleShapes(
  { columns }: Pick<Table, "columns">,
  inputs: readonly NetworkInput[],
): readonly (readonly number[])[] {
  return inputs.map(({ name, shape }) => {
    const column = columns[`x/${name}`];
    const fits =
      column !== undefined &&
      column.shape.length === shape.length &&
      shape.every((size, axis) => size === null || size === column.shape[axis]);
    if (column !== undefined && fits) return column.shape;
    throw new DataError(
      `${named(
        "x",
        name,
        inputs.map((one) => one.name),
      )}: expected samples of ${formatSample(shape)}, received ${column === undefined ? "none" : `samples of ${formatSample(column.shape)}`}; reshape the data or change the model's inputShape`,
    );
  });
}

const dtypes: readonly unknown[] = ["float32", "uint8", "int32"];

/** @throws DataError for a length or columns that are none: sources are written by hand. */
function checkForm({ length, columns }: Pick<Table, "length" | "columns">): void {
  if (!Number.isSafeInteger(length) || length < 0)
    throw new DataError(`length: expected a whole number from 0, received ${shown(length)}`);
  for (const [name, { dtype, shape }] of Object.entries(columns)) {
    if (!dtypes.includes(dtype))
      throw new DataError(`${name}: expected dtype to be float32, uint8 or int32, received ${shown(dtype)}`);
    if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      throw new DataError(`${name}: expected shape to be the sizes of one sample, received ${shown(shape)}`);
  }
}

/** A table of questions. @throws DataError when it lacks an input */
export function checkInputs(table: Table, inputs: readonly NetworkInput[]): Table {
  checkForm(table);
  sampleShapes(table, inputs);
  return table;
}

/** @throws DataError when a table lacks an input or answers of the sizes that the losses want. */
export function checkTable(table: Table, signature: Signature): void {
  checkForm(table);
  const targets = signature.targets(sampleShapes(table, signature.inputs));
  for (const [name, { dtype, shape }] of targets) {
    const column = table.columns[`y/${name}`];
    if (column === undefined || column.shape.join() !== shape.join() || column.dtype !== dtype)
      throw new DataError(
        `y/${name}: expected ${dtype} answers of ${formatSample(shape)}, received ${column === undefined ? "none" : `${column.dtype} of ${formatSample(column.shape)}`}`,
      );
  }
  for (const [name, { dtype, shape }] of columnsOf(table.columns, "weight")) {
    const target = targets.get(name);
    const most = target && lossShapeOf(target);
    if (most === undefined || dtype !== "float32" || shape.some((size, axis) => size !== most[axis]))
      throw new DataError(
        `weight/${name}: expected ${most === undefined ? `the name of an output (${[...targets.keys()].join(", ")})` : `float32 weights of [], or ${formatSample(most)} for each answer`}, received ${dtype} of ${formatSample(shape)}`,
      );
  }
}

/** A source as a table of a model of one input and one output. @throws DataError when it does not fit */
export function tableOfSource(source: Source, signature: Signature): Table {
  const [input, ...others] = signature.inputs;
  if (input === undefined || others.length > 0)
    throw new DataError(`x: expected a table of columns for a model of several inputs, received a source of one`);
  const x = `x/${input.name}`;
  const targets = signature.targets(sampleShapes({ columns: { [x]: source.x } }, signature.inputs));
  const [target, ...more] = targets;
  if (target === undefined || more.length > 0)
    throw new DataError(`y: expected a table of columns for a model of several outputs, received a source of one`);
  const y = `y/${target[0]}`;
  return {
    length: source.length,
    columns: { [x]: source.x, [y]: { dtype: target[1].dtype, shape: target[1].shape } },
    batch: (indices, into) =>
      source.batch(indices, { x: into[x] ?? new Float32Array(), y: (into[y] ?? new Float32Array()) as TargetArray }),
  };
}

/** Some rows of a table as a table of its own: those from `start` up to `end`. */
export const part = (table: Table, start: number, end: number): Table => ({
  length: end - start,
  columns: table.columns,
  batch: (indices, into) =>
    table.batch(
      indices.map((index) => index + start),
      into,
    ),
});
