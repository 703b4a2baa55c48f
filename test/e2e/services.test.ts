import type { Classification, DatasetPreview, InferResponse, ModelMetadata, UsageEvent } from "@gristmill/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Home, type Platform } from "./platform.ts";
import { firstImage, inferBody, trainedPlatform } from "./trained.ts";

const home = new Home();
let platform: Platform;

beforeAll(async () => {
  platform = await trainedPlatform(home);
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  home.remove();
});

const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(platform.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${platform.adminKey}`, ...headers },
    body,
  });

const usedBy = async (requestId: string | null) =>
  (await platform.expect<{ data: UsageEvent[] }>(200, "GET", `/api/usage/events?request_id=${requestId}`)).data
    .map(({ meter, quantity, dimensions }) => ({ meter, quantity: Number(quantity), service: dimensions["service"] }))
    .sort((a, b) => a.meter.localeCompare(b.meter));

describe("the Open Inference Protocol", () => {
  it("[SVC1] tells the server's and a model's metadata", async () => {
    expect(await platform.expect(200, "GET", "/v2")).toMatchObject({
      name: "gristmill",
      extensions: ["binary_tensor_data"],
    });
    expect(await platform.expect<ModelMetadata>(200, "GET", "/v2/models/digits")).toEqual({
      name: "digits",
      versions: ["1"],
      platform: "onnx_onnxv1",
      inputs: [{ name: "input", datatype: "FP32", shape: [-1, 28, 28, 1] }],
      outputs: [{ name: "output", datatype: "FP32", shape: [-1, 10] }],
    });
    expect(await platform.expect(200, "GET", "/v2/models/digits/versions/1/ready")).toEqual({
      name: "digits",
      ready: true,
    });
    expect(await (await fetch(`${platform.url}/v2/health/live`)).json()).toEqual({ live: true });
    expect(await (await fetch(`${platform.url}/v2/health/ready`)).json()).toEqual({ ready: true });
  });

  it("[SVC1] answers JSON and binary tensors with the same numbers", async () => {
    const json = await platform.expect<InferResponse>(200, "POST", "/v2/models/digits/infer", inferBody(2));
    expect(json).toMatchObject({ id: "first", model_name: "digits", model_version: "1" });
    const scores = json.outputs[0]?.data as number[];
    expect(json.outputs[0]?.shape).toEqual([2, 10]);
    expect(scores.slice(0, 10).reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);

    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: "input", shape: [1, 28, 28, 1], datatype: "FP32", parameters: { binary_data_size: 3136 } }],
        outputs: [{ name: "output", parameters: { binary_data: true } }],
      }),
    );
    const body = Buffer.concat([head, new Uint8Array(Float32Array.from(firstImage).buffer)]);
    const response = await post("/v2/models/digits/versions/1/infer", body, {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(head.byteLength),
    });
    expect(response.status).toBe(200);
    const bytes = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get("inference-header-content-length"));
    expect(JSON.parse(bytes.subarray(0, length).toString()).outputs[0]).toMatchObject({
      datatype: "FP32",
      shape: [1, 10],
    });
    const binary = new Float32Array(new Uint8Array(bytes.subarray(length)).buffer);
    // Another batch size may take another kernel of the runtime: the last bits may differ.
    for (const [index, score] of binary.entries()) expect(score).toBeCloseTo(scores[index] ?? Number.NaN, 5);
  });

  it.each([undefined, "application/json", "text/plain", "application/x-www-form-urlencoded"])(
    "[SVC2] takes a request of content type %s",
    async (type) => {
      const bytes = new TextEncoder().encode(JSON.stringify(inferBody()));
      const response = await post("/v2/models/digits/infer", bytes, type === undefined ? {} : { "content-type": type });
      expect(response.status).toBe(200);
    },
  );

  it("[SVC3] tells failures as one text, with the status of what is wrong", async () => {
    const input = inferBody().inputs[0];
    const cases: [number, string, unknown, RegExp][] = [
      [404, "/v2/models/nobody/infer", inferBody(), /nobody/],
      [404, "/v2/models/digits/versions/9/infer", inferBody(), /9/],
      [404, "/v2/models/digits/versions/x/infer", inferBody(), /"x" is none/],
      [400, "/v2/models/digits/infer", { inputs: [{ ...input, name: "pixels" }] }, /pixels.*input/s],
      [400, "/v2/models/digits/infer", { inputs: [{ ...input, shape: [1, 784] }] }, /784/],
      [
        400,
        "/v2/models/digits/infer",
        { inputs: [{ ...input, datatype: "INT64", data: firstImage.map(() => 0) }] },
        /float32|FP32/,
      ],
      [400, "/v2/models/digits/infer", { inputs: [{ ...input, data: [1] }] }, /holds 784 elements, received 1/],
      [400, "/v2/models/digits/infer", { ...inferBody(), outputs: [{ name: "logits" }] }, /logits/],
      [400, "/v2/models/digits/infer", { inputs: [] }, /inputs/],
    ];
    for (const [status, path, body, message] of cases) {
      const answer = await platform.call<{ error: string }>("POST", path, body);
      expect([answer.status, answer.body.error], `${path} ${message}`).toEqual([
        status,
        expect.stringMatching(message),
      ]);
      expect(Object.keys(answer.body)).toEqual(["error"]);
    }
  });

  it("[SVC4] refuses integers that JSON has already rounded", async () => {
    const answer = await platform.call<{ error: string }>("POST", "/v2/models/digits/infer", {
      inputs: [{ name: "input", shape: [1], datatype: "INT64", data: [2 ** 60] }],
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("send larger ones as binary data") },
    });
  });

  it("[SVC5] uses one request and its rows when it is answered, and nothing when it is refused", async () => {
    const good = await post("/v2/models/digits/infer", JSON.stringify(inferBody(3)));
    expect(good.status).toBe(200);
    expect(await usedBy(good.headers.get("x-request-id"))).toEqual([
      { meter: "service.images", quantity: 3, service: "inference" },
      { meter: "service.requests", quantity: 1, service: "inference" },
    ]);
    const bad = await post(
      "/v2/models/digits/infer",
      JSON.stringify({ inputs: [{ ...inferBody().inputs[0], name: "no" }] }),
    );
    expect(bad.status).toBe(400);
    expect(await usedBy(bad.headers.get("x-request-id"))).toEqual([]);
  });
});

describe("image classification", () => {
  const path = "/api/services/image-classification?model=digits&top=3";

  it("[SVC6] answers labels with scores for a PNG, whatever type it is declared as", async () => {
    const preview = await platform.expect<DatasetPreview>(
      200,
      "GET",
      "/api/datasets/digits/preview?split=test&limit=1",
    );
    const png = Buffer.from(preview.records[0]?.png_base64 ?? "", "base64");
    const direct = await platform.expect<InferResponse>(200, "POST", "/v2/models/digits/infer", inferBody());
    const scores = direct.outputs[0]?.data as number[];
    for (const type of ["image/png", "image/jpeg", "application/octet-stream"]) {
      const response = await post(path, png, { "content-type": type });
      expect(response.status).toBe(200);
      const body = (await response.json()) as Classification;
      expect(body.labels).toHaveLength(3);
      expect(body.labels[0]?.index).toBe(scores.indexOf(Math.max(...scores)));
      expect(body.labels[0]?.score).toBeCloseTo(Math.max(...scores), 4);
      expect(await usedBy(response.headers.get("x-request-id"))).toEqual([
        { meter: "service.images", quantity: 1, service: "image-classification" },
        { meter: "service.requests", quantity: 1, service: "image-classification" },
      ]);
    }
  });

  it("[SVC6] refuses what is no image, what is cut short, and what declares far too many pixels", async () => {
    const preview = await platform.expect<DatasetPreview>(
      200,
      "GET",
      "/api/datasets/digits/preview?split=test&limit=1",
    );
    const png = Buffer.from(preview.records[0]?.png_base64 ?? "", "base64");
    const bomb = Buffer.from(png);
    bomb.writeUInt32BE(50_000, 16);
    bomb.writeUInt32BE(50_000, 20);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>');
    const cases: [string, Uint8Array<ArrayBuffer>, string][] = [
      ["text", Buffer.from("not an image"), "image.unreadable"],
      ["svg", svg, "image.unreadable"],
      ["half a png", png.subarray(0, png.length / 2), "image.unreadable"],
      ["nothing", new Uint8Array(), "image.unreadable"],
      ["a bomb", bomb, "image.too_large"],
    ];
    for (const [what, bytes, code] of cases) {
      const response = await post(path, bytes, { "content-type": "image/png" });
      const body = (await response.json()) as { error: { code: string } };
      expect([response.status, body.error.code], what).toEqual([422, code]);
      expect(await usedBy(response.headers.get("x-request-id"))).toEqual([]);
    }
  });
});

// Last: from here on the model is dear.
describe("what a request may cost", () => {
  it("[SVC7] is what the model behind the deployment's name costs, before it runs", async () => {
    await platform.expect(201, "POST", "/api/prices", { meter: "service.images", model: "digits", amount: "5" });
    const { id, key } = await platform.expect<{ id: string; key: string }>(201, "POST", "/api/keys", { name: "poor" });
    const budget = { name: "poor", subject: { type: "key", id }, amount: "11", period: "total", hard: true };
    await platform.expect(201, "POST", "/api/budgets", budget);
    const infer = (rows: number) =>
      post("/v2/models/digits/infer", JSON.stringify(inferBody(rows)), { authorization: `Bearer ${key}` });
    expect((await infer(2)).status).toBe(200);
    const refused = await infer(1);
    expect(refused.status).toBe(429);
    expect(await refused.text()).toContain("budget.exceeded");
    expect(await usedBy(refused.headers.get("x-request-id"))).toEqual([]);
  });
});
