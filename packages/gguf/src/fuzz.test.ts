/** @file GGUF files changed at random, the same each time: a header or a GgufError comes out, and little memory is taken. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { bytesSource } from "./bytes-source.ts";
import { GgufError, readGgufHeader, vocabularyProblems, writeGgufHeader } from "./index.ts";

const { bytes: front } = writeGgufHeader({
  metadata: [
    ["general.architecture", { type: "string", value: "llama" }],
    ["llama.context_length", { type: "uint32", value: 64 }],
    ["llama.attention.causal", { type: "bool", value: true }],
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.tokens", { type: "array", value: { of: "string", values: ["a", "b", "ab"] } }],
    ["tokenizer.ggml.scores", { type: "array", value: { of: "float32", values: Float32Array.of(0, 1, 2) } }],
    ["tokenizer.ggml.merges", { type: "array", value: { of: "string", values: ["a b"] } }],
    ["tokenizer.ggml.eos_token_id", { type: "uint64", value: 1n }],
  ],
  tensors: [
    { name: "w", shape: [2, 32], type: "Q4_0" },
    { name: "v", shape: [3], type: "F32" },
  ],
});
const valid = Buffer.concat([front, new Uint8Array(64 + 12)]);

const sizes = [0n, 1n, 8n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const position = fc.nat(valid.length - 9);
type Edit = (bytes: Buffer<ArrayBuffer>) => Buffer<ArrayBuffer>;
/** A byte, a size, a cut, a piece left out, a piece said twice. */
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(position, fc.oneof(fc.nat(255), fc.nat(12))).map(
    ([at, value]): Edit =>
      (bytes) => {
        if (at < bytes.length) bytes[at] = value;
        return bytes;
      },
  ),
  fc.tuple(position, fc.constantFrom(...sizes)).map(
    ([at, value]): Edit =>
      (bytes) => {
        if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(value, at);
        return bytes;
      },
  ),
  position.map(
    (at): Edit =>
      (bytes) =>
        bytes.subarray(0, at),
  ),
  fc.tuple(position, fc.integer({ min: 1, max: 64 })).map(
    ([at, length]): Edit =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
  ),
  fc.tuple(position, fc.integer({ min: 1, max: 64 })).map(
    ([at, length]): Edit =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]),
  ),
);

it("2,000 damaged files each give a header or a GgufError, within little memory", async () => {
  const before = process.memoryUsage().arrayBuffers;
  let most = before;
  let read = 0;
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = changes.reduce<Buffer<ArrayBuffer>>((damaged, change) => change(damaged), Buffer.from(valid));
      try {
        const { metadata } = await readGgufHeader(bytesSource(bytes));
        vocabularyProblems(metadata);
        read++;
      } catch (error) {
        if (!(error instanceof GgufError)) throw error;
        codes.add(error.code);
        expect(error.message).toBe(`${error.where}: ${error.problem}`);
      }
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }),
    { numRuns: 2000, seed: 20_260_412 },
  );
  // The cases are not all of one kind: some are still files, the others are refused for every reason.
  expect(read).toBeGreaterThan(20);
  expect([...codes].sort()).toEqual(["gguf.cut_off", "gguf.malformed", "gguf.not_gguf", "gguf.unsupported"]);
  expect(most - before).toBeLessThan(64 * 2 ** 20);
});
