/** @file The batches of each epoch of a training. */
import { shuffledOrder } from "../random/shuffle.ts";
import {
  type BatchStream,
  type Feed,
  isStream,
  joinedFeeds,
  limitedFeed,
  openStream,
  streamFeed,
  tableFeed,
} from "./feed.ts";
import type { Signature, Table } from "./source.ts";

/** How epochs are made of data. */
export interface EpochOptions {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  /** Batches of an epoch; all of the data's when left out. */
  readonly stepsPerEpoch: number | undefined;
  /** True: a number of steps goes on where the last epoch stopped. False: every epoch is the first, and has at most all batches. */
  readonly goesOn: boolean;
  /** What messages call the first sample, 0. */
  readonly first?: number;
}

/** The batches of a training's epochs. */
export class Epochs {
  readonly #data: Table | BatchStream;
  readonly #signature: Signature;
  readonly #options: EpochOptions;
  readonly #weigh: (table: Table) => Table;
  readonly #opened = new Set<unknown>();
  /** A stream that is read on from epoch to epoch. */
  #going: Feed | undefined;

  constructor(
    data: Table | BatchStream,
    signature: Signature,
    options: EpochOptions,
    weigh: (table: Table) => Table = (table) => table,
  ) {
    this.#data = data;
    this.#signature = signature;
    this.#options = options;
    this.#weigh = weigh;
  }

  /** The batches of an epoch, counted from 0. @throws NnError for a stream that cannot be begun again */
  open(epoch: number): Feed {
    const { stepsPerEpoch, goesOn } = this.#options;
    if (!isStream(this.#data)) return this.#ofTable(this.#weigh(this.#data), epoch);
    if (stepsPerEpoch === undefined) return this.#stream(this.#data, epoch);
    if (typeof this.#data === "function" || !goesOn)
      return limitedFeed(this.#stream(this.#data, epoch), stepsPerEpoch, epoch);
    return this.#goingOn(this.#data, stepsPerEpoch, epoch);
  }

  /** Ends a stream that was read on. */
  async close(): Promise<void> {
    await this.#going?.close?.();
  }

  #stream(stream: BatchStream, epoch: number): Feed {
    return streamFeed(openStream(stream, epoch, this.#opened), this.#signature, this.#weigh);
  }

  /** An iterable that is no function of the epoch is read on where the last epoch stopped, and anew at its end. */
  #goingOn(stream: BatchStream, steps: number, epoch: number): Feed {
    this.#going ??= this.#stream(stream, epoch);
    const { next } = limitedFeed(
      {
        steps: undefined,
        samples: undefined,
        next: async (most) => {
          const run = await this.#going?.next(most);
          if (run !== undefined) return run;
          this.#going = this.#stream(stream, epoch);
          return this.#going.next(most);
        },
      },
      steps,
      epoch,
    );
    return { steps, samples: undefined, next }; // not closed with the epoch
  }

  /** With a number of steps, epoch e has batches e * steps and following of all passes over the table, one after the other. */
  #ofTable(table: Table, epoch: number): Feed {
    const { batchSize, stepsPerEpoch, shuffle, seed } = this.#options;
    const order = (pass: number): Uint32Array =>
      shuffle ? shuffledOrder(table.length, seed, pass) : Uint32Array.from({ length: table.length }, (_, i) => i);
    const perPass = Math.ceil(table.length / batchSize);
    if (stepsPerEpoch === undefined || (!this.#options.goesOn && stepsPerEpoch >= perPass))
      return tableFeed(table, order(epoch), batchSize, this.#signature, this.#options.first);
    const [first, last] = [epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch];
    const [firstPass, lastPass] = [Math.floor(first / perPass), Math.floor((last - 1) / perPass)];
    const passes = Array.from({ length: lastPass - firstPass + 1 }, (_, i) => {
      const pass = firstPass + i;
      const start = Math.max(0, first - pass * perPass) * batchSize;
      return { pass, start, end: Math.min(table.length, (last - pass * perPass) * batchSize) };
    });
    const feeds = passes.map(
      ({ pass, start, end }) =>
        () =>
          tableFeed(table, order(pass).subarray(start, end), batchSize, this.#signature, this.#options.first),
    );
    const samples = passes.reduce((sum, { start, end }) => sum + end - start, 0);
    return joinedFeeds(feeds, stepsPerEpoch, samples);
  }
}
