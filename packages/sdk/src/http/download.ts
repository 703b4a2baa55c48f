/** @file A stream of the API as a file. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { CallOptions } from "./transport.ts";

/** Writes a stream to a file, which appears only when it is whole. */
export async function download(
  open: () => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>,
  file: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(Readable.fromWeb(await open()), createWriteStream(part), { signal });
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}
