/** @file Lines of a stream, with bounded memory. */

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Each line without its end; empty ones are left out. */
export async function* readLines(stream: Readable): AsyncGenerator<string> {
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  // readline hides errors of its input: without this, half a stream would look like a whole one.
  let failure: unknown;
  stream.once("error", (error) => {
    failure = error;
    lines.close();
  });
  for await (const line of lines) if (line !== "") yield line;
  if (failure !== undefined) throw failure;
}
