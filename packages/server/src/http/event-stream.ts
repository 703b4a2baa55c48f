/** @file A metered stream of server-sent events: each leaves at once, and only the end waits until what was used is durable. */
import { Readable } from "node:stream";
import type { AppError } from "@gristmill/contract";
import { toAppError } from "./failures.ts";

/** What a stream of events is made of. */
export interface EventStreamParts {
  /** Whole events, each with its empty line. Read once. */
  readonly events: AsyncIterable<string>;
  /**
   * What says that all is told: it is sent, and made where it is a function, when the settlement has been written. Empty: the
   * events say so themselves.
   */
  readonly end: string | (() => Promise<string>);
  /** The event that tells of a failure after the first byte. */
  readonly failure: (error: AppError) => string | Promise<string>;
  /** Ends what makes the events, and says what was used until then. Called once, also when nothing was read. */
  readonly close: () => Promise<void>;
}

/** The body of an answer that is a stream of server-sent events (WHATWG HTML, section 9.2). */
export class EventStream {
  readonly parts: EventStreamParts;

  constructor(parts: EventStreamParts) {
    this.parts = parts;
  }
}

/** Headers of every such answer. The last one keeps proxies such as nginx from gathering events. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

/** Silence after which a comment is sent: proxies cut connections that say nothing, many after 30 or 60 s. */
const keepAliveMs = 10_000;
const keepAlive = ": keep-alive\n\n";

/** How a stream is settled and watched. */
export interface EventStreamOptions {
  readonly settle: () => Promise<void>;
  /** Told of a failure that the client hears of by an event. */
  readonly onFailure: (error: AppError) => void;
  readonly keepAliveMs?: number;
}

/**
 * The bytes of a stream of events. `close` and then `settle` are called once, also when the events fail or their reader goes
 * away; a settlement that fails is told by an event, and the end is not sent.
 */
export function eventStreamBytes({ parts }: EventStream, options: EventStreamOptions): Readable {
  let finishing: Promise<void> | undefined;
  const finish = (): Promise<void> => {
    finishing ??= parts.close().then(options.settle);
    return finishing;
  };
  const chunks = told(parts, finish, options);
  return new Readable({
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (failure) => this.destroy(failure),
      );
    },
    // `Readable.from` would wait for the event that is under way, and never begin to end what makes it.
    destroy(failure, done) {
      finish().catch(() => {}); // nobody reads any more; the ledger finds the open reservation again
      chunks.return(undefined).catch(() => {});
      done(failure);
    },
  });
}

async function* told(
  parts: EventStreamParts,
  finish: () => Promise<void>,
  { onFailure, keepAliveMs: silence = keepAliveMs }: EventStreamOptions,
): AsyncGenerator<string, undefined> {
  const failed = async (failure: unknown): Promise<string> => {
    const error = toAppError(failure);
    onFailure(error);
    return await parts.failure(error);
  };
  let last: EventStreamParts["end"] = parts.end;
  try {
    for await (const event of withKeepAlive(parts.events, silence)) yield event;
  } catch (failure) {
    last = await failed(failure);
  }
  try {
    await finish();
  } catch (failure) {
    yield await failed(failure);
    throw failure; // cuts the connection: what can't be settled has no proper end
  }
  const end = typeof last === "string" ? last : await last().catch(failed);
  if (end !== "") yield end;
  return undefined;
}

async function* withKeepAlive(events: AsyncIterable<string>, silenceMs: number): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(resolve, silenceMs, undefined);
      const result = await Promise.race([next, promise]).finally(() => clearTimeout(timer));
      if (result === undefined) {
        yield keepAlive;
        continue;
      }
      if (result.done === true) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    // Not waited for: an iterator that waits for its source ends when `close` has ended that.
    iterator.return?.().catch(() => {});
  }
}
