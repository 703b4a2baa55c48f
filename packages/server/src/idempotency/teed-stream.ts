/** @file A stream that is kept while it is sent. */
import { Readable } from "node:stream";

/** How a stream ended: its bytes, or why they can't be kept. `cut`: its reader left. */
export type StreamEnd =
  | { readonly kind: "whole"; readonly bytes: Buffer }
  | { readonly kind: "too_large" }
  | { readonly kind: "failed"; readonly failure: unknown }
  | { readonly kind: "cut" };

/**
 * The same bytes, as they come; the stream's end is held back until `onEnd` has resolved, so that who saw the end finds the
 * answer again. `onEnd`, which never fails, is called once, also when the stream fails or its reader goes away.
 */
export function teedStream(source: Readable, limitBytes: number, onEnd: (end: StreamEnd) => Promise<void>): Readable {
  let ending: Promise<void> | undefined;
  const once = (end: StreamEnd): Promise<void> => {
    ending ??= onEnd(end);
    return ending;
  };
  const stream = Readable.from(teed(source, limitBytes, once), { objectMode: false });
  // A generator that is ended before its first read never runs, and neither does its `finally`.
  stream.once("close", () => {
    source.destroy();
    void once({ kind: "cut" });
  });
  return stream;
}

async function* teed(
  source: Readable,
  limitBytes: number,
  onEnd: (end: StreamEnd) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  let isWhole = false;
  const chunks = (source as AsyncIterable<Uint8Array | string>)[Symbol.asyncIterator]();
  // By hand, because a reader that goes away with an error must not look like a stream that failed.
  const next = async (): Promise<IteratorResult<Uint8Array | string>> => {
    try {
      return await chunks.next();
    } catch (failure) {
      await onEnd({ kind: "failed", failure });
      throw failure;
    }
  };
  try {
    for (let chunk = await next(); chunk.done !== true; chunk = await next()) {
      const bytes = typeof chunk.value === "string" ? Buffer.from(chunk.value) : chunk.value;
      size += bytes.length;
      if (size <= limitBytes) pieces.push(bytes);
      else pieces = [];
      yield bytes;
    }
    isWhole = true;
  } finally {
    source.destroy();
    if (!isWhole) await onEnd({ kind: "cut" });
  }
  await onEnd(size > limitBytes ? { kind: "too_large" } : { kind: "whole", bytes: Buffer.concat(pieces) });
}
