/** @file Batches for runs of the training program: many steps of one batch size at a time. */

import type { InputFormat } from "../compile/input-format.ts";
import { DataError, NnError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import { arraySource } from "./samples.ts";
import {
  checkLabels,
  checkSource,
  elementsOf,
  formatOf,
  type SampleArray,
  type Samples,
  type Source,
  type TargetArray,
} from "./source.ts";

/** Steps for one run. */
export interface Run {
  readonly steps: number;
  readonly batch: number;
  /** [steps, batch, ...] */
  readonly x: SampleArray;
  /** [steps, batch, ...] */
  readonly y: TargetArray;
  readonly format: InputFormat;
}

/** One epoch's batches. */
export interface Feed {
  /** Undefined when only the end tells. */
  readonly steps: number | undefined;
  readonly samples: number | undefined;
  /** The next steps, at most so many; undefined at the end. The arrays are good until the next call. */
  next(mostSteps: number): Promise<Run | undefined>;
}

/** Arrays for batches, made once and grown when a run has more steps. */
class Buffers {
  #x: SampleArray | undefined;
  #y: TargetArray | undefined;

  x(dtype: InputFormat["dtype"], length: number): SampleArray {
    const isGood =
      this.#x !== undefined && this.#x.length >= length && this.#x instanceof Uint8Array === (dtype === "uint8");
    if (!isGood || this.#x === undefined)
      this.#x = dtype === "uint8" ? new Uint8Array(length) : new Float32Array(length);
    return this.#x.subarray(0, length);
  }

  y(dtype: TargetSpec["dtype"], length: number): TargetArray {
    if (this.#y === undefined || this.#y.length < length)
      this.#y = dtype === "int32" ? new Int32Array(length) : new Float32Array(length);
    return this.#y.subarray(0, length);
  }
}

/** The samples of a source in a given order; the last batch may be smaller. */
export function sourceFeed(source: Source, order: Uint32Array, batchSize: number, target: TargetSpec): Feed {
  const format = formatOf(source);
  const [xSize, ySize] = [elementsOf(source.x.shape), elementsOf(target.shape)];
  const buffers = new Buffers();
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
      const x = buffers.x(format.dtype, count * xSize);
      const y = buffers.y(target.dtype, count * ySize);
      await source.batch(order.subarray(at, at + count), { x, y });
      checkLabels(y, target);
      at += count;
      return { steps, batch, x, y, format };
    },
  };
}

/** A batch that a stream hands over: samples and answers of the same count. */
export interface StreamBatch {
  readonly x: Samples;
  readonly y: Samples;
}

/** Batches that come one by one: an async iterable that can be begun again for each epoch, or a function of the epoch. */
export type BatchStream = AsyncIterable<StreamBatch> | ((epoch: number) => AsyncIterable<StreamBatch>);

/** Batches of an async iterator; neighbours of one size run together. */
export function streamFeed(
  iterator: AsyncIterator<StreamBatch>,
  inputShape: readonly number[],
  target: TargetSpec,
): Feed & { close(): Promise<void> } {
  const buffers = new Buffers();
  let waiting: Source | undefined;
  let isDone = false;
  const pull = async (): Promise<Source | undefined> => {
    const held = waiting;
    waiting = undefined;
    if (held !== undefined || isDone) return held;
    const { value, done } = await iterator.next();
    isDone = done === true;
    if (isDone) return undefined;
    const batch: StreamBatch = value;
    const source = arraySource(batch.x, batch.y, target);
    checkSource(source, inputShape);
    if (source.length === 0) throw new DataError("x: expected batches of at least one sample, received an empty one");
    return source;
  };
  const key = (source: Source): string => `${source.length} ${source.x.dtype} ${source.x.scale}`;
  return {
    steps: undefined,
    samples: undefined,
    async next(mostSteps) {
      const group: Source[] = [];
      while (group.length < mostSteps) {
        const source = await pull();
        if (source === undefined) break;
        const [lead] = group;
        if (lead !== undefined && key(lead) !== key(source)) {
          waiting = source;
          break;
        }
        group.push(source);
      }
      const [first] = group;
      if (first === undefined) return undefined;
      const batch = first.length;
      const [xSize, ySize] = [batch * elementsOf(inputShape), batch * elementsOf(target.shape)];
      const x = buffers.x(first.x.dtype, group.length * xSize);
      const y = buffers.y(target.dtype, group.length * ySize);
      const all = Uint32Array.from({ length: batch }, (_, i) => i);
      for (const [i, source] of group.entries())
        await source.batch(all, {
          x: x.subarray(i * xSize, (i + 1) * xSize),
          y: y.subarray(i * ySize, (i + 1) * ySize),
        });
      checkLabels(y, target);
      return { steps: group.length, batch, x, y, format: formatOf(first) };
    },
    async close() {
      if (!isDone) await iterator.return?.();
    },
  };
}

/** Begins a stream for an epoch. @throws NnError when it cannot be begun again. */
export function openStream(stream: BatchStream, epoch: number, opened: Set<unknown>): AsyncIterator<StreamBatch> {
  const iterable = typeof stream === "function" ? stream(epoch) : stream;
  const iterator = iterable[Symbol.asyncIterator]();
  if (opened.has(iterator))
    throw new NnError(
      `epoch ${epoch}: expected batches that can be read again, received a generator that has ended; pass a function (epoch) => batches, or train one epoch`,
    );
  opened.add(iterator);
  return iterator;
}
