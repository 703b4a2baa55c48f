import { once } from "node:events";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { settledStream } from "./settled-stream.ts";

test("[HTTP3] a stream whose reader went away before its first byte is settled, once, and its source ends", async () => {
  const source = Readable.from(["one", "two"]);
  let settlements = 0;
  const stream = settledStream(source, async () => {
    settlements += 1;
  });
  stream.destroy();
  await once(stream, "close");
  await expect.poll(() => [settlements, source.destroyed]).toEqual([1, true]);
});

test("[HTTP3] a stream that is read to its end is settled once, before its last chunk", async () => {
  const seen: string[] = [];
  const stream = settledStream(Readable.from(["one", "two"]), async () => {
    seen.push("settled");
  });
  for await (const chunk of stream) seen.push(String(chunk));
  expect(seen).toEqual(["one", "settled", "two"]);
});
