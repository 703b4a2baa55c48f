import { type Dtype, dtypes, type Tensor } from "@gristmill/onnx";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementsFromBytes, elementsFromJson, elementsToBytes, elementsToJson } from "./elements.ts";

const values: { readonly [D in Dtype]: fc.Arbitrary<unknown> } = {
  float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  float16: fc.integer({ min: -2048, max: 2048 }),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  uint8: fc.nat(255),
  uint16: fc.nat(65535),
  uint32: fc.nat(4294967295),
  uint64: fc.nat(Number.MAX_SAFE_INTEGER),
  bool: fc.boolean(),
  string: fc.string(),
};
const build = (dtype: Dtype, shape: number[], data: unknown) => ({ dtype, shape, data }) as unknown as Tensor;

describe.each(dtypes)("%s", (dtype) => {
  it("survives JSON and bytes unchanged", () => {
    fc.assert(
      fc.property(fc.array(values[dtype], { maxLength: 20 }), (list) => {
        const data = elementsFromJson(dtype, [list.length], list);
        const back = JSON.parse(JSON.stringify(elementsToJson(build(dtype, [list.length], data))));
        expect(back).toEqual(JSON.parse(JSON.stringify(list)));
        const bytes = elementsToBytes(build(dtype, [list.length], data));
        expect(elementsFromBytes(dtype, [list.length], bytes)).toEqual(data);
      }),
    );
  });
});

describe("JSON data", () => {
  it("may be nested as its shape says", () => {
    expect(
      elementsFromJson(
        "int32",
        [2, 2],
        [
          [1, 2],
          [3, 4],
        ],
      ),
    ).toEqual(Int32Array.of(1, 2, 3, 4));
  });

  it.each([
    ["float32", [2], [1], "holds 2 elements, received 1"],
    ["float32", [2, 2], [[1, 2], [3]], "axis 1: expected 2 entries, received 1"],
    ["float32", [2, 2], [[1, 2], 3], "axis 1: expected an array, received 3"],
    ["float32", [1], ["1"], 'element 0: expected a number, received "1"'],
    ["float32", [1], undefined, 'expected "data" as an array, received none'],
    ["uint8", [1], [256], "expected an integer from 0 to 255, received 256"],
    ["int8", [1], [1.5], "received 1.5"],
    ["int64", [1], [2 ** 60], "send larger ones as binary data"],
    ["uint64", [1], [-1], "non-negative"],
    ["bool", [1], ["yes"], "expected true or false"],
    ["string", [1], [1], "expected a string"],
  ] as const)("%s %j %j is refused", (dtype, shape, data, message) => {
    expect(() => elementsFromJson(dtype, shape, data)).toThrow(message);
  });

  it("writes 64-bit integers beyond 2^53 exactly", () => {
    const tensor = build("int64", [1], BigInt64Array.of(9007199254740993n));
    expect(JSON.stringify(elementsToJson(tensor))).toBe("[9007199254740993]");
  });
});

describe("binary data", () => {
  it("must fill the shape exactly", () => {
    expect(() => elementsFromBytes("float32", [2], new Uint8Array(7))).toThrow("takes 8 bytes, received 7");
  });

  it("refuses strings that lie about their length", () => {
    expect(() => elementsFromBytes("string", [1], Uint8Array.of(255, 0, 0, 0, 65))).toThrow(
      "string 0 is 255 bytes long",
    );
    expect(() => elementsFromBytes("string", [2], Uint8Array.of(0, 0, 0, 0))).toThrow("the bytes end after 1");
    expect(() => elementsFromBytes("string", [1], Uint8Array.of(0, 0, 0, 0, 9))).toThrow(
      "1 bytes follow the last of 1 strings",
    );
  });

  it("may begin at any offset of the body", () => {
    const body = new Uint8Array(9);
    new DataView(body.buffer).setFloat32(1, 1.5, true);
    expect(elementsFromBytes("float32", [1], body.subarray(1, 5))).toEqual(Float32Array.of(1.5));
  });
});
