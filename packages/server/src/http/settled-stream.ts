/** @file A metered stream: what was used is durable before the last byte leaves. */
import { Readable } from "node:stream";

/**
 * The same bytes, one chunk behind: the last one is held back until `settle` has resolved. `settle` is called once, also when the
 * stream fails or its reader goes away; then what was used until there is written.
 */
export function settledStream(source: Readable, settle: () => Promise<void>): Readable {
  let settling: Promise<void> | undefined;
  const once = (): Promise<void> => {
    settling ??= settle();
    return settling;
  };
  const stream = Readable.from(behind(source, once), { objectMode: false });
  // A generator that is ended before its first read never runs, and neither does its `finally`.
  stream.once("close", () => {
    source.destroy();
    once().catch(() => {}); // nobody reads any more; the ledger finds the open reservation again
  });
  return stream;
}

async function* behind(source: Readable, settle: () => Promise<void>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      if (held !== undefined) yield held;
      held = chunk;
    }
  } finally {
    source.destroy();
    await settle();
  }
  if (held !== undefined) yield held;
}
