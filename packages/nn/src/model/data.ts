/** @file What callers hand to fit and evaluate, as tables and streams that fit the model. */
import { DataError, NnError } from "../errors.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { readClassWeights, withClassWeights } from "../training/class-weight.ts";
import { type BatchStream, isStream } from "../training/feed.ts";
import { arrayTable } from "../training/samples.ts";
import {
  checkTable,
  isSource,
  isTable,
  type LabelledData,
  type NamedSamples,
  part,
  type Samples,
  type Signature,
  type Source,
  sampleShapes,
  type Table,
  tableOfSource,
} from "../training/source.ts";
import type { FitOptions, readFitOptions } from "./options.ts";

/** Adds the weights of labels to tables. @throws DataError when they make no sense for the model's outputs */
export function weigherOf(classWeight: FitOptions["classWeight"], signature: Signature): (table: Table) => Table {
  if (classWeight === undefined) return (table) => table;
  return (table) => {
    const targets = signature.targets(sampleShapes(table, signature.inputs));
    return withClassWeights(table, readClassWeights(classWeight, targets));
  };
}

type Fed = Source | Table | BatchStream;

/** What fit and evaluate are called with: data that bring their answers along and options, or arrays, answers and options. */
export interface Call<O> {
  readonly options: O | undefined;
  /** @throws DataError when the data do not fit */
  read(signature: Signature): Fed;
}

/** Sorts the arguments of fit and evaluate. @throws NnError when they are mixed up */
export function callOf<O extends { readonly sampleWeight?: NamedSamples | undefined }>(
  method: string,
  [data, second, third]: readonly [data: NamedSamples | Fed, yOrOptions: unknown, options: O | undefined],
): Call<O> {
  if (!isSource(data) && !isTable(data) && !isStream(data))
    return {
      options: third,
      read: (signature) => wholeTable(data, second as NamedSamples, third?.sampleWeight, signature),
    };
  const options = (second ?? undefined) as O | undefined;
  if (options !== undefined && (!isRecord(options) || third !== undefined))
    throw new NnError(
      `${method}: expected options behind a source, table or stream, which bring their answers along; received more samples`,
    );
  if (options?.sampleWeight !== undefined)
    throw new NnError(
      `${method}: expected sampleWeight with arrays only; put it into the batches of a stream, or into a table's columns "weight/OUTPUT"`,
    );
  return { options, read: () => data };
}

/** All weights are 0. */
function countsNothing(weights: NamedSamples): boolean {
  if (Array.isArray(weights)) return weights.flat(64).every((weight) => weight === 0);
  if (!isRecord(weights)) return false;
  if (ArrayBuffer.isView(weights["data"])) {
    const numbers = Array.from(weights["data"] as Float32Array);
    return numbers.every((weight) => Number(weight) === 0);
  }
  return Object.values(weights as Readonly<Record<string, Samples>>).every(countsNothing);
}

function wholeTable(
  x: NamedSamples,
  y: NamedSamples,
  sampleWeight: NamedSamples | undefined,
  signature: Signature,
): Table {
  const table = arrayTable({ x, y, sampleWeight }, signature);
  if (sampleWeight !== undefined && table.length > 0 && countsNothing(sampleWeight))
    throw new DataError("sampleWeight: expected one weight above 0 at least, received 0 for all samples");
  return table;
}

/** What goes wrong with some of the data is told with their name: "validationData: x: expected ...". @throws DataError */
export function about<T>(what: string, read: () => T): T {
  const told = (error: unknown): unknown =>
    error instanceof DataError ? new DataError(`${what}: ${error.message}`, { cause: error }) : error;
  try {
    const result = read();
    if (!(result instanceof Promise)) return result;
    const waited: unknown = result.catch((error: unknown) => {
      throw told(error);
    });
    return waited as T;
  } catch (error) {
    throw told(error);
  }
}

/** A source or table as a table that fits. @throws DataError */
export function tableOf(data: Source | Table, signature: Signature): Table {
  const table = isTable(data) ? data : tableOfSource(data, signature);
  checkTable(table, signature);
  return table;
}

/** Samples with their answers, as a table or as batches that come one by one. @throws DataError */
export function scored(data: LabelledData | Fed, signature: Signature): Table | BatchStream {
  if (isStream(data)) return data;
  if (isSource(data) || isTable(data)) return tableOf(data, signature);
  if (!isRecord(data) || !("x" in data) || !("y" in data))
    throw new DataError(
      `expected { x, y }, a source, a table or a stream, received ${Array.isArray(data) ? "a list" : shown(data)}`,
    );
  return arrayTable(data, signature);
}

/** Training and validation data. Keras' rule: the last samples validate, before any shuffling. */
export function split(
  data: Source | Table | BatchStream,
  {
    validationData: given,
    validationSplit,
  }: Pick<ReturnType<typeof readFitOptions>, "validationData" | "validationSplit">,
  signature: Signature,
): {
  readonly train: Table | BatchStream;
  readonly validation: Table | BatchStream | undefined;
  /** Where the validation data begin in the data, where they are a part of them. */
  readonly first?: number;
} {
  const validation = given && about("validationData", () => scored(given, signature));
  if (isStream(data)) {
    if (validationSplit > 0)
      throw new NnError("fit: expected validationData with a stream of batches, received validationSplit");
    return { train: data, validation };
  }
  const table = tableOf(data, signature);
  if (validation !== undefined && validationSplit > 0)
    throw new NnError("fit: expected validationData or validationSplit, received both");
  const trained = Math.floor(table.length * (1 - validationSplit));
  if (table.length === 0) throw new DataError("x: expected at least one sample to train on, received none");
  if (trained < 1)
    throw new DataError(`validationSplit: ${validationSplit} of ${table.length} samples leaves none to train on`);
  if (validationSplit === 0) return { train: table, validation };
  if (trained === table.length)
    throw new DataError(`validationSplit: ${validationSplit} of ${table.length} samples leaves none to validate on`);
  return { train: part(table, 0, trained), validation: part(table, trained, table.length), first: trained };
}
