/** @file GGUF files that lie: bytes changed at random. What the front may not say is tested in @gristmill/gguf. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemorySink } from "../byte-sink.ts";
import { bytesSource } from "../byte-source.ts";
import { FileFormatError } from "../format-error.ts";
import { GgufFile, writeGguf } from "./index.ts";

it("GgufFile.open says what is wrong in this package's own class", async () => {
  const opening = GgufFile.open(bytesSource(new TextEncoder().encode("PK\x03\x04 no model")));
  await expect(opening).rejects.toThrow(FileFormatError);
  await expect(opening).rejects.toMatchObject({ where: "GGUF", cause: { code: "gguf.not_gguf" } });
});

describe("GgufFile on damaged bytes", () => {
  async function sample(): Promise<Uint8Array> {
    const sink = new MemorySink();
    await writeGguf(sink, {
      metadata: [
        ["a.b", { type: "uint32", value: 7 }],
        ["a.s", { type: "array", value: { of: "string", values: ["x", "yz"] } }],
        ["a.n", { type: "array", value: { of: "bool", values: Uint8Array.of(1) } }],
      ],
      tensors: [
        { name: "w", shape: [2, 32], type: "Q4_0", load: () => new Float32Array(64).fill(0.5) },
        { name: "v", shape: [3], type: "F32", load: () => Float32Array.of(1, 2, 3) },
      ],
    });
    return sink.bytes();
  }
  /** Only FileFormatError may come out; what is opened is read. */
  async function survives(bytes: Uint8Array): Promise<void> {
    try {
      const opened = await GgufFile.open(bytesSource(bytes));
      for (const name of opened.header.tensors.keys()) await opened.read(name);
    } catch (error) {
      expect(error).toBeInstanceOf(FileFormatError);
    }
  }

  it("survives truncation at every byte", async () => {
    const bytes = await sample();
    for (let length = 0; length < bytes.length; length++) await survives(bytes.subarray(0, length));
  });

  it("survives random changes", async () => {
    const bytes = await sample();
    const edit = fc.record({ at: fc.nat(bytes.length - 1), value: fc.oneof(fc.nat(255), fc.nat(12)) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const damaged = Uint8Array.from(bytes);
        for (const { at, value } of edits) damaged[at] = value;
        await survives(damaged);
      }),
      { numRuns: 2000 },
    );
  });
});
