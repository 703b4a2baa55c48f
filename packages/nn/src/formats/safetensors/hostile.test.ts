/** @file Safetensors files that lie: every rule of the format broken once, and bytes changed at random. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileFormatError } from "../format-error.ts";
import { decodeSafetensors, encodeSafetensors } from "./index.ts";

/** A file with a header of any text and some bytes behind it. */
function file(header: string, data = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
const info = (begin: number, end: number, shape: readonly unknown[] = [end - begin], dtype: unknown = "U8") =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe("decodeSafetensors refuses", () => {
  const cases: Readonly<Record<string, readonly [header: string, bytes: number, message: string | RegExp]>> = {
    "a hole": [
      `{"a":${info(0, 2)},"b":${info(3, 4)}}`,
      4,
      'tensor "b": expected its bytes to begin at 2, where the tensor before it ends, received 3: a hole',
    ],
    "a hole at the start": [`{"a":${info(1, 2)}}`, 2, "received 1: a hole"],
    "an overlap": [`{"a":${info(0, 2)},"b":${info(1, 3)}}`, 3, "received 1: an overlap"],
    "the same bytes twice": [`{"a":${info(0, 2)},"b":${info(0, 2)}}`, 2, "received 0: an overlap"],
    "bytes that no tensor has": [`{"a":${info(0, 2)}}`, 3, "expected 2 bytes of tensors behind the header, received 3"],
    "bytes that are not there": [`{"a":${info(0, 2)}}`, 1, "received 1; the file is cut off"],
    "a shape that does not fit": [
      `{"a":${info(0, 2, [3])}}`,
      2,
      "expected 3 bytes for U8 [3], received data_offsets [0,2]",
    ],
    "offsets that go back": [`{"a":${info(2, 0, [2])}}`, 2, "expected 2 bytes for U8"],
    "a negative size": [`{"a":${info(0, 1, [-1])}}`, 1, "expected shape to be a list of whole numbers from 0"],
    "half a size": [`{"a":${info(0, 1, [0.5])}}`, 1, "expected shape to be a list of whole numbers"],
    "a size as text": [`{"a":${info(0, 1, ["1"])}}`, 1, "expected shape to be a list of whole numbers"],
    "sizes that overflow": [`{"a":${info(0, 0, [2 ** 50, 2 ** 50])}}`, 0, "has too many elements"],
    "sizes that overflow and come back": [`{"a":${info(0, 0, [2 ** 50, 2 ** 50, 0])}}`, 0, "has too many elements"],
    "a size beyond a number's digits": [
      `{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,0]}}`,
      0,
      "expected shape",
    ],
    "three offsets": [
      `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}`,
      1,
      "expected data_offsets to be two whole numbers",
    ],
    "no offsets": [
      `{"a":{"dtype":"U8","shape":[1]}}`,
      1,
      "expected data_offsets to be two whole numbers from 0, received nothing",
    ],
    "an unknown element type": [`{"a":${info(0, 1, [1], "F7")}}`, 1, "expected dtype to be one of BOOL, U8"],
    "no element type": [`{"a":${info(0, 1, [1], null)}}`, 1, "expected dtype to be one of"],
    "an inherited name as element type": [`{"a":${info(0, 1, [1], "constructor")}}`, 1, "expected dtype to be one of"],
    "complex numbers": [`{"a":${info(0, 8, [1], "C64")}}`, 8, "the element type C64 is not supported"],
    "a tensor that is a number": ['{"a":7}', 0, "expected { dtype, shape, data_offsets }, received 7"],
    "a name said twice": [`{"a":${info(0, 1)},"a":${info(0, 1)}}`, 1, 'the key "a" appears twice'],
    "a name said twice in two ways": [`{"a":${info(0, 1)},"\\u0061":${info(0, 1)}}`, 1, 'the key "a" appears twice'],
    "an offset said twice": [
      '{"a":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}',
      1,
      'the key "dtype" appears twice',
    ],
    "metadata said twice": ['{"__metadata__":{},"__metadata__":{}}', 0, "appears twice"],
    "metadata that is no text": ['{"__metadata__":{"a":1}}', 0, '__metadata__, "a": expected a text, received 1'],
    "metadata that is a list": ['{"__metadata__":[]}', 0, "expected an object of texts"],
    "a list": ["[]", 0, "expected it to begin with {"],
    "a space before the header": [" {}", 0, "expected it to begin with {"],
    "a byte order mark": ["\ufeff{}", 0, "expected it to begin with {"],
    "an empty header": ["", 0, "expected it to begin with {"],
    "half a header": ['{"a":', 0, "expected JSON"],
    "two headers": ["{}{}", 0, "expected JSON"],
    "zero bytes as padding": ["{}\0\0", 0, "expected JSON"],
    "deep nesting": [`{"a":${"[".repeat(100_000)}`, 0, "at most 3 objects and lists inside each other"],
  };
  for (const [what, [header, bytes, message]] of Object.entries(cases))
    it(what, () => {
      expect(() => decodeSafetensors(file(header, new Uint8Array(bytes)))).toThrow(FileFormatError);
      expect(() => decodeSafetensors(file(header, new Uint8Array(bytes)))).toThrow(message);
    });

  it("a bool of 2", () => {
    expect(() => decodeSafetensors(file(`{"a":${info(0, 1, [1], "BOOL")}}`, Uint8Array.of(2)))).toThrow(
      "expected 0 or 1",
    );
  });

  it("a header that is no UTF-8", () => {
    const bytes = file("{  }");
    bytes[9] = 0xff;
    expect(() => decodeSafetensors(bytes)).toThrow("expected UTF-8 text");
  });

  it("headers longer than the file or the limit, before reading them", () => {
    const huge = file("{}");
    new DataView(huge.buffer).setBigUint64(0, 2n ** 64n - 1n, true);
    expect(() => decodeSafetensors(huge)).toThrow("received a length of 18446744073709551615");
    new DataView(huge.buffer).setBigUint64(0, 3n, true);
    expect(() => decodeSafetensors(huge)).toThrow("expected 3 bytes, but the file has 2 behind its first 8");
    expect(() => decodeSafetensors(file("{}"), { headerBytes: 1 })).toThrow("expected at most 1 bytes");
    expect(() => decodeSafetensors(new Uint8Array(7))).toThrow("expected at least 8 bytes, received 7");
    expect(() => decodeSafetensors(new Uint8Array())).toThrow("received 0");
  });

  it("millions of values, by their number and not by the memory they take", () => {
    const bytes = file(`{"a":[${"0,".repeat(5_000_000)}0]}`);
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeSafetensors(bytes)).toThrow("expected at most 4000000 values");
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60e6);
  });
});

describe("decodeSafetensors takes", () => {
  it("spaces behind the header, and tensors in any order", () => {
    const { tensors } = decodeSafetensors(
      file(`{"b":${info(1, 3)},"a":${info(0, 1)},"e":${info(1, 1)}}   `, Uint8Array.of(1, 2, 3)),
    );
    expect([...tensors.keys()]).toEqual(["a", "e", "b"]);
    expect(tensors.get("b")?.data).toEqual(Uint8Array.of(2, 3));
  });

  it("names such as __proto__, harmlessly", () => {
    const { tensors, metadata } = decodeSafetensors(
      file(`{"__proto__":${info(0, 1)},"__metadata__":{"__proto__":"x"}}`, Uint8Array.of(5)),
    );
    expect(tensors.get("__proto__")?.data).toEqual(Uint8Array.of(5));
    expect(Object.keys(metadata)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});

describe("decodeSafetensors on damaged bytes", () => {
  const bytes = encodeSafetensors(
    {
      w: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      b: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
      e: { dtype: "int64", shape: [0], data: new BigInt64Array() },
    },
    { by: "test" },
  );
  /** Only FileFormatError may come out; what is read is written and read to the same. */
  function survives(damaged: Uint8Array): void {
    let decoded: ReturnType<typeof decodeSafetensors>;
    try {
      decoded = decodeSafetensors(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(FileFormatError);
      return;
    }
    const again = decodeSafetensors(encodeSafetensors(decoded.tensors, decoded.metadata));
    expect(new Map([...again.tensors].sort())).toEqual(new Map([...decoded.tensors].sort()));
  }

  it("survives truncation at every byte", () => {
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(FileFormatError);
  });

  it("survives random changes", () => {
    const edit = fc.record({
      at: fc.nat(bytes.length - 1),
      value: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"{}[],:0129'))),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const damaged = Uint8Array.from(bytes);
        for (const { at, value } of edits) damaged[at] = value;
        survives(damaged);
      }),
      { numRuns: 2000 },
    );
  });
});
