/** @file GGUF files that lie: every rule broken once. */
import { describe, expect, it } from "vitest";
import { bytesSource } from "./bytes-source.ts";
import { GgufError } from "./errors.ts";
import { readGgufHeader } from "./index.ts";

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number | bigint) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string | Uint8Array) => {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return joined([u64(bytes.length), bytes]);
};
/** A file: counts, metadata, tensor descriptions, then 32-byte alignment and `data` bytes. */
function file(
  counts: readonly [tensors: number | bigint, values: number | bigint],
  parts: readonly Uint8Array[],
  data = 0,
): Uint8Array {
  const front = joined([new TextEncoder().encode("GGUF"), u32(3), u64(counts[0]), u64(counts[1]), ...parts]);
  return joined([front, new Uint8Array(((32 - (front.length % 32)) % 32) + data)]);
}
const tensor = (name: string, dims: readonly (number | bigint)[], type: number, offset: number) =>
  joined([text(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)]);
const refuses = async (bytes: Uint8Array, message: string): Promise<void> => {
  const opening = readGgufHeader(bytesSource(bytes));
  await expect(opening).rejects.toThrow(GgufError);
  await expect(opening).rejects.toThrow(message);
};

describe("readGgufHeader refuses", () => {
  const huge = 2n ** 64n - 1n;
  const u8 = 0;
  const array = 9;
  const string = 8;
  const cases: Readonly<Record<string, readonly [Uint8Array, message: string]>> = {
    "another format": [new TextEncoder().encode("PK\x03\x04 no model at all"), 'to begin with "GGUF"'],
    "nothing at all": [new Uint8Array(), "the file ends 0 bytes on"],
    "version 1": [
      joined([new TextEncoder().encode("GGUF"), u32(1), new Uint8Array(40)]),
      "expected 2 or 3, received 1",
    ],
    "the high byte first": [
      joined([new TextEncoder().encode("GGUF"), u32(0x03000000), new Uint8Array(40)]),
      "big-endian",
    ],
    "more tensors than the file has room for": [file([huge, 0], []), "number of tensors: expected a number below 2^53"],
    "a thousand million tensors": [file([1e9, 0], []), "tensors: expected 1000000000 of at least 24 bytes"],
    "a thousand million values": [file([0, 1e9], []), "metadata: expected 1000000000 of at least 14 bytes"],
    "a key of 2^60 letters": [
      file([0, 1], [u64(2n ** 60n), new Uint8Array(32)]),
      "key 0: expected a number below 2^53",
    ],
    "a key longer than the file": [file([0, 1], [u64(2 ** 40), new Uint8Array(32)]), "but the file ends"],
    "an empty key": [file([0, 1], [text(""), u32(u8), new Uint8Array(1)]), "expected a key of 1 to 65535 bytes"],
    "a key said twice": [
      file([0, 2], [text("a"), u32(u8), Uint8Array.of(1), text("a"), u32(u8), Uint8Array.of(1)]),
      'key "a": it appears twice',
    ],
    "a kind that is none": [
      file([0, 1], [text("a"), u32(13), u64(0)]),
      "expected a kind of value from 0 to 12, received 13",
    ],
    "a bool of 2": [file([0, 1], [text("a"), u32(7), Uint8Array.of(2)]), "expected 0 or 1 for each bool"],
    "text that is no UTF-8": [
      file([0, 1], [text("a"), u32(string), text(Uint8Array.of(0xff))]),
      'key "a": expected UTF-8 text',
    ],
    "a list of 2^50 numbers": [
      file([0, 1], [text("a"), u32(array), u32(u8), u64(2n ** 50n)]),
      "expected 1125899906842624 of at least 1 bytes",
    ],
    "a list of 2^40 texts": [file([0, 1], [text("a"), u32(array), u32(string), u64(2n ** 40n)]), "of at least 8 bytes"],
    "a list of 2^40 lists": [file([0, 1], [text("a"), u32(array), u32(array), u64(2n ** 40n)]), "has lists inside"],
    "an alignment of 0": [
      file([0, 1], [text("general.alignment"), u32(4), u32(0)]),
      "a power of two up to 2^20, received uint32 0",
    ],
    "an alignment of 24": [file([0, 1], [text("general.alignment"), u32(4), u32(24)]), "received uint32 24"],
    "an alignment as text": [
      file([0, 1], [text("general.alignment"), u32(string), text("32")]),
      'received string "32"',
    ],
    "a tensor said twice": [
      file([2, 0], [tensor("a", [1], 0, 0), tensor("a", [1], 0, 32)], 64),
      'tensor "a": it appears twice',
    ],
    "a name of 65 bytes": [file([1, 0], [tensor("a".repeat(65), [1], 0, 0)], 32), "a name of at most 64 bytes"],
    "five axes": [file([1, 0], [tensor("a", [1, 1, 1, 1, 1], 0, 0)], 32), "expected at most 4 axes, received 5"],
    "2^32 - 1 axes": [
      file([1, 0], [text("a"), u32(2 ** 32 - 1), u64(0), u64(0)]),
      "expected at most 4 axes, received 4294967295",
    ],
    "sizes that overflow": [file([1, 0], [tensor("a", [2 ** 30, 2 ** 30], 0, 0)], 32), "has too many elements"],
    "sizes beyond 2^53": [file([1, 0], [tensor("a", [2n ** 60n], 0, 0)], 32), "expected a number below 2^53"],
    "a removed type": [file([1, 0], [tensor("a", [32], 4, 0)], 32), "tensors of type 4 are not known here"],
    "half a block": [file([1, 0], [tensor("a", [33], 8, 0)], 64), "Q8_0 keeps blocks of 32 elements"],
    "a tensor past the end": [
      file([1, 0], [tensor("a", [9], 0, 0)], 32),
      'tensor "a": expected it to end at byte 100, but the file has 96; it is cut off',
    ],
    "an offset past the end": [
      file([1, 0], [tensor("a", [1], 0, 2 ** 40)], 32),
      "expected its bytes to begin at 0, behind the tensor before it",
    ],
    "an overlap": [
      file([2, 0], [tensor("a", [9], 0, 0), tensor("b", [1], 0, 32)], 96),
      "expected its bytes to begin at 64",
    ],
    "a hole": [
      file([2, 0], [tensor("a", [1], 0, 0), tensor("b", [1], 0, 64)], 96),
      "expected its bytes to begin at 32",
    ],
    "an offset that is not aligned": [
      file([2, 0], [tensor("a", [1], 0, 0), tensor("b", [1], 0, 4)], 96),
      "expected its bytes to begin at 32",
    ],
  };
  for (const [what, [bytes, message]] of Object.entries(cases)) it(what, () => refuses(bytes, message));

  it("millions of empty texts, by their number", async () => {
    const bytes = file([0, 1], [text("a"), u32(array), u32(string), u64(5_000_000), new Uint8Array(40_000_000)]);
    await refuses(bytes, "more texts and lists than the limit allows");
  });
});
