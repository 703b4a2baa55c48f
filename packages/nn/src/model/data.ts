/** @file What callers hand to fit and evaluate, as tables and streams that fit the model. */
import { DataError, NnError } from "../errors.ts";
import { readClassWeights, withClassWeights } from "../training/class-weight.ts";
import { type BatchStream, isStream } from "../training/feed.ts";
import { arrayTable } from "../training/samples.ts";
import {
  checkTable,
  isSource,
  isTable,
  type LabelledData,
  part,
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

/** A source or table as a table that fits. @throws DataError */
export function tableOf(data: Source | Table, signature: Signature): Table {
  const table = isTable(data) ? data : tableOfSource(data, signature);
  checkTable(table, signature);
  return table;
}

/** Samples with their answers, as a table or as batches that come one by one. @throws DataError */
export const scored = (data: LabelledData | Source | Table | BatchStream, signature: Signature): Table | BatchStream =>
  isStream(data) ? data : isSource(data) || isTable(data) ? tableOf(data, signature) : arrayTable(data, signature);

/** Training and validation data. Keras' rule: the last samples validate, before any shuffling. */
export function split(
  data: Source | Table | BatchStream,
  {
    validationData: given,
    validationSplit,
  }: Pick<ReturnType<typeof readFitOptions>, "validationData" | "validationSplit">,
  signature: Signature,
): { readonly train: Table | BatchStream; readonly validation: Table | BatchStream | undefined } {
  const validation = given && scored(given, signature);
  if (isStream(data)) {
    if (validationSplit > 0)
      throw new NnError("fit: expected validationData with a stream of batches, received validationSplit");
    return { train: data, validation };
  }
  const table = tableOf(data, signature);
  if (validation !== undefined && validationSplit > 0)
    throw new NnError("fit: expected validationData or validationSplit, received both");
  const trained = Math.floor(table.length * (1 - validationSplit));
  if (trained < 1) throw new DataError(`x: expected at least one sample to train on, received ${table.length}`);
  if (validationSplit === 0) return { train: table, validation };
  if (trained === table.length)
    throw new DataError(`validationSplit: ${validationSplit} of ${table.length} samples leaves none to validate on`);
  return { train: part(table, 0, trained), validation: part(table, trained, table.length) };
}
