/** @file Batches for runs of the training program: many steps of one batch size at a time. */
import { DataError, NnError } from "../errors.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { Buffers } from "./buffers.ts";
import { batchCheck, type PlaceOf } from "./check-batch.ts";
import { arrayTable } from "./samples.ts";
import {
  type Column,
  elementsOf,
  type LabelledData,
  type SampleArray,
  type Signature,
  sampleShapes,
  type Table,
} from "./source.ts";

/** Steps for one run. */
export interface Run {
  readonly steps: number;
  readonly batch: number;
  readonly columns: Readonly<Record<string, Column>>;
  /** [steps, batch, ...] of each column. */
  readonly arrays: Readonly<Record<string, SampleArray>>;
  /** Which sample of the data a row is. */
  readonly placeOf: PlaceOf;
}

/** One epoch's batches. */
export interface Feed {
  /** Undefined when only the end tells. */
  readonly steps: number | undefined;
  readonly samples: number | undefined;
  /** The next steps, at most so many; undefined at the end. The arrays are good until the call after the next one. */
  next(mostSteps: number): Promise<Run | undefined>;
  close?(): Promise<void>;
}

/** The rows of a table in a given order; the last batch may be smaller. `first`: what messages call the table's first row. */
export function tableFeed(table: Table, order: Uint32Array, batchSize: number, signature: Signature, first = 0): Feed {
  const { columns } = table;
  const check = batchCheck(columns, sampleShapes(table, signature.inputs), signature);
  const buffers = new Buffers(2); // one run is fed while the next is gathered
  let at = 0;
  return {
    steps: Math.ceil(order.length / batchSize),
    samples: order.length,
    async next(mostSteps) {
      const left = order.length - at;
      if (left === 0) return undefined;
      const batch = Math.min(batchSize, left);
      const steps = Math.min(mostSteps, Math.floor(left / batch));
      const count = steps * batch;
      const arrays = buffers.take(columns, count);
      const rows = order.subarray(at, at + count);
      await table.batch(rows, arrays);
      const placeOf = (row: number): string => `[${(rows[row] ?? 0) + first}]`;
      check(arrays, placeOf);
      at += count;
      return { steps, batch, columns, arrays, placeOf };
    },
  };
}

/** Feeds one after the other, each begun when the one before has ended. */
export function joinedFeeds(feeds: readonly (() => Feed)[], steps: number, samples: number): Feed {
  let at = 0;
  let current: Feed | undefined;
  return {
    steps,
    samples,
    async next(mostSteps) {
      for (;;) {
        const begin = feeds[at];
        if (begin === undefined) return undefined;
        current ??= begin();
        const run = await current.next(mostSteps);
        if (run !== undefined) return run;
        current = undefined;
        at++;
      }
    },
  };
}

/** The first `steps` batches of a feed. @throws DataError when it has fewer */
export function limitedFeed(feed: Feed, steps: number, epoch: number): Feed {
  let left = steps;
  return {
    ...feed,
    steps,
    async next(mostSteps) {
      if (left === 0) return undefined;
      const run = await feed.next(Math.min(mostSteps, left));
      if (run === undefined)
        throw new DataError(
          `epoch ${epoch + 1}: expected ${steps} batches, received ${steps - left}; ask for fewer steps, or make the stream longer`,
        );
      left -= run.steps;
      return run;
    },
  };
}

/** A batch that a stream hands over: samples and answers of the same count. */
export type StreamBatch = LabelledData;

/** Something that hands over batches, waiting between them or not. */
export type Batches = AsyncIterable<StreamBatch> | Iterable<StreamBatch>;

/** Batches that come one by one: an iterable that can be begun again for each epoch, or a function of the epoch, from 0. */
export type BatchStream = Batches | ((epoch: number) => Batches);

/** True for batches that come one by one. Lists are nested samples. */
export const isStream = (data: unknown): data is BatchStream =>
  typeof data === "function" || (isRecord(data) && (Symbol.asyncIterator in data || isBatches(data)));

const isBatches = (data: object): boolean => Symbol.iterator in data && !ArrayBuffer.isView(data);

/** What a stream begins with in an epoch. @throws DataError when a function gives nothing that hands over batches */
export function batchesOf(stream: BatchStream, epoch: number): Batches {
  const batches = typeof stream === "function" ? stream(epoch) : stream;
  const given: unknown = batches;
  if (typeof given === "object" && given !== null && (Symbol.asyncIterator in given || Symbol.iterator in given))
    return batches;
  throw new DataError(
    `stream: expected the function (epoch) => batches to give an iterable of { x, y }, received ${given instanceof Promise ? "a promise; write it as async function*" : shown(given)}`,
  );
}

const iteratorOf = (batches: Batches): AsyncIterator<StreamBatch> | Iterator<StreamBatch> =>
  Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();

/** @throws DataError for what is no batch: streams are written by hand. */
function readBatch(batch: unknown): StreamBatch {
  if (isRecord(batch) && "x" in batch && "y" in batch) return batch as unknown as StreamBatch;
  throw new DataError(`stream: expected batches { x, y }, received ${Array.isArray(batch) ? "a list" : shown(batch)}`);
}

/** Batches of an iterator, each after `change`; neighbours of one size run together. */
export function streamFeed(
  iterator: AsyncIterator<StreamBatch> | Iterator<StreamBatch>,
  signature: Signature,
  change: (table: Table) => Table = (table) => table,
): Feed {
  const buffers = new Buffers(2); // one run is fed while the next is gathered
  let waiting: Table | undefined;
  let isDone = false;
  let batches = 0;
  const pull = async (): Promise<Table | undefined> => {
    const held = waiting;
    waiting = undefined;
    if (held !== undefined || isDone) return held;
    const { value, done } = await iterator.next();
    isDone = done === true;
    if (isDone) return undefined;
    const table = arrayTable(readBatch(value), signature);
    if (table.length === 0) throw new DataError("x: expected batches of at least one sample, received an empty one");
    return change(table);
  };
  const key = ({ length, columns }: Table): string => JSON.stringify([length, columns]);
  return {
    steps: undefined,
    samples: undefined,
    async next(mostSteps) {
      const first = await pull();
      if (first === undefined) return undefined;
      const { length: batch, columns } = first;
      const all = Uint32Array.from({ length: batch }, (_, i) => i);
      // room for the most, of which the system gives what is written to; a batch is let go of as soon as it is copied
      const room = buffers.take(columns, mostSteps * batch);
      let steps = 0;
      for (let table: Table | undefined = first; table !== undefined && steps < mostSteps; steps++) {
        await table.batch(all, sliceOf(room, columns, steps * batch, batch));
        table = steps + 1 < mostSteps ? await pull() : undefined;
        if (table !== undefined && key(table) !== key(first)) {
          waiting = table;
          table = undefined;
        }
      }
      const arrays = sliceOf(room, columns, 0, steps * batch);
      const before = batches;
      batches += steps;
      const placeOf = (row: number): string => `[${row % batch}] of batch ${before + Math.floor(row / batch) + 1}`;
      batchCheck(columns, sampleShapes(first, signature.inputs), signature)(arrays, placeOf);
      return { steps, batch, columns, arrays, placeOf };
    },
    async close() {
      if (!isDone) await iterator.return?.();
    },
  };
}

/** Rows from `start` of each array. */
const sliceOf = (arrays: Run["arrays"], columns: Table["columns"], start: number, count: number): Run["arrays"] =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const size = elementsOf(columns[name]?.shape ?? []);
      return [name, array.subarray(start * size, (start + count) * size)];
    }),
  );

/** Begins a stream for an epoch. @throws NnError when it cannot be begun again. */
export function openStream(stream: BatchStream, epoch: number, opened: Set<unknown>): ReturnType<typeof iteratorOf> {
  const iterator = iteratorOf(batchesOf(stream, epoch));
  if (opened.has(iterator))
    throw new NnError(
      `epoch ${epoch + 1}: expected batches that can be read again, received a generator that has ended; pass a function (epoch) => batches, or train one epoch`,
    );
  opened.add(iterator);
  return iterator;
}
