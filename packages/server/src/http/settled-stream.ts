/** @file A metered stream: what was used is durable before the last byte leaves. */
import { Readable } from "node:stream";

/**
 * The same bytes, one chunk behind: the last one is held back until `settle` has resolved. `settle` is called once, also when the
 * stream fails or its reader goes away; then what was used until there is written.
 */
export function settledStream(source: Readable, settle: () => Promise<void>): Readable {
  return Readable.from(behind(source, settle), { objectMode: false });
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
