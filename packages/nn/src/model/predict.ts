/** @file A model's answers, batch by batch. */
import { type Session, type Tensor, tensor } from "@gristmill/onnx";
import { DataError } from "../errors.ts";
import type { NetworkInput } from "../network/network.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { Buffers } from "../training/buffers.ts";
import { dataTensor, numbersOf, tensorsOf } from "../training/evaluate.ts";
import { type BatchStream, batchesOf, isStream } from "../training/feed.ts";
import { running } from "../training/run-failure.ts";
import { sampleTable } from "../training/samples.ts";
import {
  checkInputs,
  elementsOf,
  isSource,
  isTable,
  type NamedSamples,
  type SampleArray,
  type Signature,
  type Source,
  type Table,
  tableOfSource,
} from "../training/source.ts";
import type { StateArrays } from "../training/state.ts";

/** Samples to answer: in memory, with random access, or batches that come one by one. */
export type Questions = NamedSamples | Source | Table | BatchStream;

/** Samples as tables, one for each batch of a stream. `signature` is asked for a source, which writes answers too. @throws DataError */
export async function* questionTables(
  data: Questions,
  inputs: readonly NetworkInput[],
  signature: () => Signature,
): AsyncGenerator<Table> {
  if (!isStream(data)) {
    yield isTable(data)
      ? checkInputs(data, inputs)
      : isSource(data)
        ? tableOfSource(data, signature())
        : sampleTable(data, inputs);
    return;
  }
  for await (const batch of batchesOf(data, 0)) {
    if (!isRecord(batch) || !("x" in batch))
      throw new DataError(`stream: expected batches { x }, received ${Array.isArray(batch) ? "a list" : shown(batch)}`);
    yield sampleTable(batch.x, inputs);
  }
}

/** Some questions of a table; `first` is the place of the first in it. */
export interface QuestionBatch {
  readonly rows: Readonly<Record<string, SampleArray>>;
  readonly columns: Table["columns"];
  readonly count: number;
  readonly first: number;
}

/** What is asked. */
export interface Prediction {
  readonly session: Session;
  readonly tables: AsyncIterable<Table>;
  readonly batchSize: number;
  /** Batches to answer; all when left out. */
  readonly steps?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Looks at each batch before it runs. @throws DataError */
  check?(batch: QuestionBatch): void;
  /** Written into where layers keep a memory from run to run. */
  readonly state: StateArrays;
}

/** float32 [count, ...] of each output by name. @throws signal.reason when aborted, which works between batches. */
export async function predictTables(prediction: Prediction): Promise<Readonly<Record<string, Tensor<"float32">>>> {
  const parts = new Map<string, Tensor[]>();
  let left = prediction.steps ?? Number.POSITIVE_INFINITY;
  for await (const answers of answersOf(prediction)) {
    for (const [name, value] of Object.entries(answers)) parts.set(name, [...(parts.get(name) ?? []), value]);
    left--;
    if (left === 0) break; // ends the stream too
  }
  if (parts.size === 0) throw new DataError("predict: expected at least one batch, received none");
  return Object.fromEntries([...parts].map(([name, values]) => [name, joined(name, values)]));
}

/** The answers of each batch. */
async function* answersOf(prediction: Prediction): AsyncGenerator<Readonly<Record<string, Tensor>>> {
  const { session, tables, batchSize, signal, state } = prediction;
  const buffers = new Buffers();
  const wanted = new Set(session.inputs.map(({ name }) => name));
  // no sample at all: one run of no rows tells the sizes
  for await (const table of tables)
    for (let at = 0; at < Math.max(table.length, 1); at += batchSize) {
      signal?.throwIfAborted();
      const count = Math.min(batchSize, table.length - at);
      const rows = buffers.take(table.columns, count);
      await table.batch(
        Uint32Array.from({ length: count }, (_, i) => at + i),
        rows,
      );
      prediction.check?.({ rows, columns: table.columns, count, first: at });
      const feeds = Object.entries(rows).flatMap(([column, array]) => {
        const name = column.startsWith("x/") ? column.slice("x/".length) : "";
        const { shape, scale = 1 } = table.columns[column] ?? { shape: [] };
        return wanted.has(name) ? [[name, dataTensor([count, ...shape], scaled(array, scale))] as const] : [];
      });
      const fed = { ...Object.fromEntries(tensorsOf(session, state)), ...Object.fromEntries(feeds) };
      const { outputs } = await running(session.run(fed));
      for (const [name, value] of Object.entries(outputs))
        if (name.startsWith("next/")) state.get(name.slice("next/".length))?.set(numbersOf(value));
      yield Object.fromEntries(Object.entries(outputs).filter(([name]) => !name.startsWith("next/")));
    }
}

/** float32 arithmetic throughout, as in training; whole numbers such as tokens stay. */
function scaled(data: SampleArray, scale: number): SampleArray {
  if (data instanceof Int32Array || (data instanceof Float32Array && scale === 1)) return data;
  const factor = Math.fround(scale);
  return Float32Array.from(data, (value) => value * factor);
}

/** Answers of batches after one another. */
function joined(name: string, values: readonly Tensor[]): Tensor<"float32"> {
  const count = values.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = values[0]?.shape.slice(1) ?? [];
  const other = values.find((value) => value.shape.slice(1).join() !== shape.join());
  if (other !== undefined)
    throw new DataError(
      `${name}: expected answers of one size, received [count, ${shape.join(", ")}] and [count, ${other.shape.slice(1).join(", ")}]; predict the batches one by one`,
    );
  const all = new Float32Array(count * elementsOf(shape));
  let at = 0;
  for (const value of values) {
    const numbers = numbersOf(value);
    all.set(numbers, at);
    at += numbers.length;
  }
  return tensor("float32", [count, ...shape], all);
}
