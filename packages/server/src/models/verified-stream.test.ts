import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { verifyingStream } from "./verified-stream.ts";

const pieces = ["one ", "two ", "three"].map((text) => Buffer.from(text));
const whole = Buffer.concat(pieces);
const sha256 = createHash("sha256").update(whole).digest("hex");

it("passes on bytes whose hash is right", async () => {
  expect(await buffer(Readable.from(pieces).pipe(verifyingStream("m@1", sha256)))).toEqual(whole);
  const nothing = createHash("sha256").digest("hex");
  expect(await buffer(Readable.from([]).pipe(verifyingStream("m@1", nothing)))).toEqual(Buffer.alloc(0));
});

it("[MOD7] never lets the last piece of wrong bytes out, and says what it expected and found", async () => {
  const out: Buffer[] = [];
  const stream = Readable.from([...pieces.slice(0, 2), Buffer.from("four!")]).pipe(verifyingStream("m@1", sha256));
  const read = async (): Promise<void> => {
    for await (const piece of stream) out.push(piece as Buffer);
  };
  await expect(read()).rejects.toMatchObject({
    code: "artifact.corrupt",
    message: expect.stringMatching(new RegExp(`^m@1: expected sha256 ${sha256}, found [0-9a-f]{64}`)),
  });
  // What was on its way when the stream broke may be lost too; the last piece never was on its way.
  expect("one two ".startsWith(Buffer.concat(out).toString())).toBe(true);
});
