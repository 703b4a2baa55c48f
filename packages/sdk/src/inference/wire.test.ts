import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOfText, textOfBytes } from "./datatypes.ts";
import { readInference, writeInference } from "./wire.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const answer = (json: object, ...tails: Uint8Array[]): [Uint8Array<ArrayBuffer>, number] => {
  const head = new TextEncoder().encode(JSON.stringify(json));
  return [new Uint8Array(Buffer.concat([head, ...tails])), head.length];
};

describe("a request", () => {
  it("is plain JSON unless binary is asked for", () => {
    const { body, headers } = writeInference(
      {
        id: "a",
        outputs: ["y"],
        inputs: [{ name: "x", datatype: "INT64", shape: [2], data: BigInt64Array.of(1n, -2n) }],
      },
      "json",
    );
    expect(JSON.parse(text(body))).toEqual({
      id: "a",
      outputs: [{ name: "y" }],
      inputs: [{ name: "x", datatype: "INT64", shape: [2], data: [1, -2] }],
    });
    expect(headers["content-type"]).toBe("application/json");
  });

  it("puts raw little-endian bytes behind the JSON and says how long each part is", () => {
    const { body, headers } = writeInference(
      {
        inputs: [
          { name: "x", datatype: "FP32", shape: [1], data: Float32Array.of(1) },
          { name: "s", datatype: "BYTES", shape: [1], data: ["hi"] },
        ],
      },
      "binary",
    );
    const length = Number(headers["inference-header-content-length"]);
    expect(JSON.parse(text(body.subarray(0, length)))).toEqual({
      parameters: { binary_data_output: true },
      inputs: [
        { name: "x", datatype: "FP32", shape: [1], parameters: { binary_data_size: 4 } },
        { name: "s", datatype: "BYTES", shape: [1], parameters: { binary_data_size: 6 } },
      ],
    });
    expect([...body.subarray(length)]).toEqual([0, 0, 0x80, 0x3f, 2, 0, 0, 0, 0x68, 0x69]);
  });

  it("refuses to round what JSON can't hold", () => {
    const big = { name: "x", datatype: "INT64", shape: [1], data: BigInt64Array.of(2n ** 60n) } as const;
    expect(() => writeInference({ inputs: [big] }, "json")).toThrow(/"x".*binary/);
    const half = { name: "h", datatype: "FP16", shape: [1], data: Uint16Array.of(0x3c00) } as const;
    expect(() => writeInference({ inputs: [half] }, "json")).toThrow(/"h".*binary/);
  });
});

describe("an answer", () => {
  it("becomes typed arrays, from flat or nested JSON", () => {
    const [bytes] = answer({
      model_name: "m",
      model_version: "3",
      outputs: [
        { name: "y", datatype: "FP32", shape: [2, 1], data: [[0.5], [1]] },
        { name: "b", datatype: "BOOL", shape: [2], data: [true, false] },
        { name: "s", datatype: "BYTES", shape: [1], data: ["seven"] },
      ],
    });
    const { modelName, modelVersion, id, outputs } = readInference(bytes, null);
    expect([modelName, modelVersion, id]).toEqual(["m", "3", null]);
    expect(outputs.map(({ data }) => data)).toEqual([Float32Array.of(0.5, 1), Uint8Array.of(1, 0), ["seven"]]);
  });

  it("takes binary outputs in order from behind the JSON, beside plain ones", () => {
    const output = (name: string, size: number) => ({
      name,
      datatype: "FP64",
      shape: [1],
      parameters: { binary_data_size: size },
    });
    const [bytes, length] = answer(
      {
        model_name: "m",
        outputs: [output("a", 8), { name: "c", datatype: "INT32", shape: [1], data: [5] }, output("b", 8)],
      },
      new Uint8Array(Float64Array.of(1.5).buffer),
      new Uint8Array(Float64Array.of(2.5).buffer),
    );
    expect(readInference(bytes, length).outputs.map(({ data }) => data)).toEqual([
      Float64Array.of(1.5),
      Int32Array.of(5),
      Float64Array.of(2.5),
    ]);
  });

  it("whose sizes don't add up is refused", () => {
    const output = { name: "a", datatype: "FP32", shape: [1], parameters: { binary_data_size: 4 } };
    const [short, length] = answer({ model_name: "m", outputs: [output] }, Uint8Array.of(1, 2));
    expect(() => readInference(short, length)).toThrow(/"a": expected 4 bytes/);
    const [long, longLength] = answer({ model_name: "m", outputs: [output] }, Uint8Array.of(1, 2, 3, 4, 5));
    expect(() => readInference(long, longLength)).toThrow(/received/);
  });
});

it("text survives the binary form, and a length that lies is refused", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (values) => {
      expect(textOfBytes(bytesOfText(values))).toEqual(values);
    }),
  );
  expect(() => textOfBytes(Uint8Array.of(9, 0, 0, 0, 1))).toThrow(RangeError);
});
