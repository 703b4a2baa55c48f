import { describe, expect, it } from "vitest";
import { readRequest } from "./request.ts";
import { writeResponse } from "./response.ts";

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const input = { name: "x", shape: [1, 2], datatype: "FP32", data: [1, 2] };

describe("an infer request", () => {
  it("is read from JSON", () => {
    const request = readRequest(json({ id: "a", inputs: [input], outputs: [{ name: "y" }] }), undefined);
    expect(request.id).toBe("a");
    expect(request.inputs["x"]).toEqual({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) });
    expect(request.outputs).toEqual(["y"]);
    expect(request.rows).toBe(1);
  });

  it("is read from JSON with the bytes of its tensors behind, in the order of the inputs", () => {
    const head = json({
      inputs: [
        { name: "a", shape: [1], datatype: "FP32", parameters: { binary_data_size: 4 } },
        { name: "b", shape: [1], datatype: "INT32", data: [7] },
        { name: "c", shape: [2], datatype: "UINT8", parameters: { binary_data_size: 2 } },
      ],
    });
    const body = Buffer.concat([head, new Uint8Array(Float32Array.of(1.5).buffer), Uint8Array.of(8, 9)]);
    const { inputs } = readRequest(body, String(head.byteLength));
    expect([inputs["a"]?.data, inputs["b"]?.data, inputs["c"]?.data]).toEqual([
      Float32Array.of(1.5),
      Int32Array.of(7),
      Uint8Array.of(8, 9),
    ]);
  });

  it("asks for all outputs by naming none", () => {
    expect(readRequest(json({ inputs: [input], outputs: [] }), undefined).outputs).toBeUndefined();
  });

  it("asks for binary outputs one by one or all at once", () => {
    const one = readRequest(
      json({ inputs: [input], outputs: [{ name: "y", parameters: { binary_data: true } }] }),
      undefined,
    );
    expect([one.isBinary("y"), one.isBinary("z")]).toEqual([true, false]);
    const all = readRequest(
      json({
        inputs: [input],
        parameters: { binary_data_output: true },
        outputs: [{ name: "y", parameters: { binary_data: false } }],
      }),
      undefined,
    );
    expect([all.isBinary("y"), all.isBinary("z")]).toEqual([false, true]);
  });

  it.each([
    ["no JSON", new TextEncoder().encode("{"), undefined, "request.invalid", "not JSON"],
    ["bytes that are no UTF-8", Uint8Array.of(0xff), undefined, "request.invalid", "not JSON"],
    ["no inputs", json({ inputs: [] }), undefined, "request.invalid", "inputs"],
    [
      "an unknown datatype",
      json({ inputs: [{ ...input, datatype: "FP8" }] }),
      undefined,
      "request.invalid",
      "inputs.0.datatype",
    ],
    [
      "a negative size",
      json({ inputs: [{ ...input, shape: [-1] }] }),
      undefined,
      "request.invalid",
      "inputs.0.shape.0",
    ],
    ["an input given twice", json({ inputs: [input, input] }), undefined, "request.invalid", "given twice"],
    ["too few elements", json({ inputs: [{ ...input, data: [1] }] }), undefined, "engine.input_invalid", 'Input "x"'],
    [
      "a header length beyond the body",
      json({ inputs: [input] }),
      "9999",
      "request.invalid",
      "Inference-Header-Content-Length",
    ],
    [
      "a header length that is no number",
      json({ inputs: [input] }),
      "-1",
      "request.invalid",
      "Inference-Header-Content-Length",
    ],
    [
      "binary data without the header",
      json({ inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 8 } }] }),
      undefined,
      "engine.input_invalid",
      "needs the header",
    ],
  ])("with %s is refused", (_, body, header, code, message) => {
    expect(() => readRequest(body, header)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it("with bytes that no input names is refused", () => {
    const head = json({ inputs: [input] });
    expect(() => readRequest(Buffer.concat([head, Uint8Array.of(1)]), String(head.byteLength))).toThrow(
      "1 bytes follow",
    );
  });
});

describe("an infer response", () => {
  const outputs = [
    ["y", { dtype: "float32", shape: [2], data: Float32Array.of(0.5, 1) }],
    ["z", { dtype: "int64", shape: [1], data: BigInt64Array.of(3n) }],
  ] as const;

  it("is JSON", () => {
    expect(writeResponse({ id: "a", model: "m", version: "1", outputs, isBinary: () => false }).body).toEqual({
      model_name: "m",
      model_version: "1",
      id: "a",
      outputs: [
        { name: "y", datatype: "FP32", shape: [2], data: [0.5, 1] },
        { name: "z", datatype: "INT64", shape: [1], data: [3] },
      ],
    });
  });

  it("is JSON and bytes when binary outputs were asked for", () => {
    const answer = writeResponse({
      id: undefined,
      model: "m",
      version: "1",
      outputs,
      isBinary: (name) => name === "y",
    });
    const length = Number(answer.headers?.["inference-header-content-length"]);
    const body = answer.body as Buffer;
    expect(JSON.parse(body.subarray(0, length).toString()).outputs[0]).toEqual({
      name: "y",
      datatype: "FP32",
      shape: [2],
      parameters: { binary_data_size: 8 },
    });
    expect(new Float32Array(body.buffer.slice(body.byteOffset + length, body.byteOffset + length + 8))).toEqual(
      Float32Array.of(0.5, 1),
    );
  });
});
