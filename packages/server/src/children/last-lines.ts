/** @file The end of a text that comes in pieces. */
import type { Readable } from "node:stream";

/** Keeps the last whole characters of a stream, at most `limitBytes`. */
export function lastLines(stream: Readable, limitBytes: number): () => string {
  let tail = Buffer.alloc(0);
  stream.on("data", (piece: Buffer) => {
    tail = Buffer.concat([tail, piece]).subarray(-limitBytes);
  });
  return () => {
    // A cut in the middle of a character leaves continuation bytes (10xxxxxx) at the start: not text.
    let start = 0;
    while (start < Math.min(4, tail.length) && ((tail[start] ?? 0) & 0xc0) === 0x80) start++;
    return tail.subarray(start).toString("utf8").trim();
  };
}
