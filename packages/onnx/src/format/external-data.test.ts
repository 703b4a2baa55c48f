import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { OnnxFormatError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { model } from "../graph/model.ts";
import { createSession } from "../session/session.ts";
import { tensor } from "../tensor.ts";
import { decodeModel } from "./decode.ts";
import { encodeModel } from "./encode.ts";
import { readModelFile, writeModelFile } from "./model-file.ts";
import { modelMessage } from "./schema.ts";

const folder = mkdtempSync(join(tmpdir(), "onnx-external-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** x times w, plus b: w has 6,000 numbers, b and the bias of the branches few. */
function sample() {
  const g = new GraphBuilder("sample");
  const x = g.input("x", "float32", ["batch", 60]);
  const w = g.initializer(
    "w",
    tensor(
      "float32",
      [60, 100],
      Float32Array.from({ length: 6000 }, (_, i) => Math.sin(i)),
    ),
  );
  const b = g.initializer(
    "b",
    tensor(
      "float32",
      [100],
      Float32Array.from({ length: 100 }, (_, i) => i),
    ),
  );
  const half = g.initializer("half", tensor("float16", [2048], new Uint16Array(2048).fill(0x3c00)));
  g.output(g.op("Gemm", [x, w, b]), "y");
  g.output(half, "ones");
  return model(g.build());
}

const names = (path: string): string[] => readdirSync(path).sort();

describe("weights beside a model", () => {
  it("are written, read and run: the same model, bit for bit", async () => {
    const place = mkdtempSync(join(folder, "round-"));
    const before = sample();
    const files = writeModelFile(join(place, "m.onnx"), before, { oneFileUpToBytes: 0, externalFromBytes: 1000 });
    expect(files).toEqual([join(place, "m.onnx"), join(place, "m.onnx.data")]);
    expect(names(place)).toEqual(["m.onnx", "m.onnx.data"]);
    expect(statSync(join(place, "m.onnx")).size).toBeLessThan(1000);
    // w takes 24,000 bytes; the next weight begins at the next page
    expect(statSync(join(place, "m.onnx.data")).size).toBe(24_576 + 4096);
    const after = readModelFile(join(place, "m.onnx"));
    expect(after).toEqual(before);

    const feed = { x: tensor("float32", [2, 60], new Float32Array(120).fill(0.5)) };
    const results = [];
    for (const source of [before, join(place, "m.onnx")]) {
      const session = await createSession(source, { threads: 1 });
      results.push((await session.run(feed)).outputs);
      await session.close();
    }
    expect(results[1]).toEqual(results[0]);
  });

  it("stay inside where they are few", () => {
    const place = mkdtempSync(join(folder, "small-"));
    expect(writeModelFile(join(place, "m.onnx"), sample())).toEqual([join(place, "m.onnx")]);
    expect(names(place)).toEqual(["m.onnx"]);
    expect(readModelFile(join(place, "m.onnx"))).toEqual(sample());
  });

  it("are shared by tied weights", () => {
    const place = mkdtempSync(join(folder, "tied-"));
    const g = new GraphBuilder("tied");
    const shared = tensor("float32", [4], Float32Array.of(1, 2, 3, 4));
    g.output(g.op("Add", [g.initializer("a", shared), g.initializer("b", shared)]));
    const tied = model(g.build());
    writeModelFile(join(place, "m.onnx"), tied, { oneFileUpToBytes: 0, externalFromBytes: 1 });
    expect(statSync(join(place, "m.onnx.data")).size).toBe(16);
    expect(readModelFile(join(place, "m.onnx"))).toEqual(tied);
  });

  it("are handed to the runtime as files beyond a size, which go when the session closes", async () => {
    const scratch = mkdtempSync(join(folder, "scratch-"));
    const session = await createSession(sample(), { threads: 1, inMemoryUpToBytes: 1000, scratchFolder: scratch });
    expect(names(scratch)).toHaveLength(1);
    const { outputs } = await session.run({ x: tensor("float32", [1, 60], new Float32Array(60)) });
    expect(outputs["y"]?.data[7]).toBe(7);
    await session.close();
    expect(names(scratch)).toEqual([]);
  });

  it("leave no files behind when the runtime refuses the model", async () => {
    const scratch = mkdtempSync(join(folder, "refused-"));
    const wrong = { ...sample(), opset: 9999 };
    const opening = createSession(wrong, { threads: 1, inMemoryUpToBytes: 0, scratchFolder: scratch });
    await expect(opening).rejects.toThrow(/the model cannot be loaded/);
    expect(names(scratch)).toEqual([]);
  });

  it("are asked for where one file cannot hold them", () => {
    const g = new GraphBuilder("huge");
    // 5 weights on one memory that is never touched: 2.5 GiB to write, none to hold
    const numbers = new Float32Array(2 ** 27);
    const sum = Array.from({ length: 5 }, (_, i) => g.initializer(`w${i}`, tensor("float32", [2 ** 27], numbers)));
    g.output(g.op("Sum", sum), "y");
    expect(() => encodeModel(model(g.build()))).toThrow(
      /^huge: expected weights of at most 2147483647 bytes in one file, received 2684354560; write the model with writeModelFile/,
    );
  });

  it("are refused where only bytes are given", () => {
    const place = mkdtempSync(join(folder, "bytes-"));
    writeModelFile(join(place, "m.onnx"), sample(), { oneFileUpToBytes: 0, externalFromBytes: 1000 });
    const bytes = readFileSync(join(place, "m.onnx"));
    expect(() => decodeModel(bytes)).toThrow(/^initializer "w": the data lies in another file, .* use readModelFile/);
  });
});

describe("hostile weights beside a model", () => {
  const place = join(folder, "models");
  mkdirSync(place);
  writeFileSync(join(folder, "secret"), new Uint8Array(400));
  writeFileSync(join(place, "data"), new Uint8Array(400));
  mkdirSync(join(place, "inner"));
  writeFileSync(join(place, "inner", "data"), new Uint8Array(400));
  symlinkSync(join(folder, "secret"), join(place, "link"));
  symlinkSync(folder, join(place, "up"));
  symlinkSync(join(place, "data"), join(place, "good-link"));
  execFileSync("mkfifo", [join(place, "pipe")]);

  const entries = (values: Readonly<Record<string, string | number>>) =>
    Object.entries(values).map(([key, value]) => ({ key, value: String(value) }));
  const weight = (values: Readonly<Record<string, string | number>>, extra: object = {}) => ({
    dims: [100],
    dataType: 1,
    dataLocation: 1,
    externalData: entries(values),
    ...extra,
  });

  function read(weights: readonly object[], options = {}) {
    const graph = {
      name: "g",
      initializer: weights.map((one, i) => ({ name: `w${i}`, ...one })),
      output: [{ name: "y", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 100 }] } } } }],
      node: [{ opType: "Identity", input: ["w0"], output: ["y"] }],
    };
    const bytes = modelMessage.encode({ irVersion: 10, opsetImport: [{ version: 21 }], graph }).finish();
    writeFileSync(join(place, "model.onnx"), bytes);
    return readModelFile(join(place, "model.onnx"), options);
  }

  it("reads what is right: whole files, ranges, inner folders, links that stay inside", () => {
    const right = [
      { location: "data" },
      { location: "data", offset: 0, length: 400, checksum: "x" },
      { location: "inner/data" },
      { location: "./good-link" },
    ];
    expect(read(right.map((values) => weight(values))).graph.initializers.size).toBe(4);
  });

  const outside = /expected a path inside the model's folder/;
  const refusals: Readonly<Record<string, readonly [Readonly<Record<string, string | number>>, RegExp]>> = {
    "a path upwards": [{ location: "../secret" }, outside],
    "a path upwards and back": [{ location: "inner/../../secret" }, outside],
    "an absolute path": [{ location: join(folder, "secret") }, outside],
    "a Windows path": [{ location: "..\\secret" }, outside],
    "a drive": [{ location: "C:secret" }, outside],
    "a zero byte": [{ location: "data\0" }, outside],
    "no path": [{ location: "" }, outside],
    "no location": [{ offset: 0 }, /external data without a location/],
    "a link out": [{ location: "link" }, /"link" leads out of the model's folder/],
    "a linked folder out": [{ location: "up/secret" }, /"up\/secret" leads out of the model's folder/],
    "a folder": [{ location: "inner" }, /"inner" is no regular file/],
    "a pipe that nobody writes": [{ location: "pipe" }, /"pipe" is no regular file/],
    "a device": [{ location: "../../../../../../dev/zero" }, outside],
    "a missing file": [{ location: "gone" }, /"gone" cannot be read: ENOENT/],
    "a path longer than any": [{ location: "a".repeat(5000) }, outside],
    "an offset beyond the end": [
      { location: "data", offset: 400, length: 400 },
      /expected bytes 400 to 800 of "data", which has 400/,
    ],
    "an offset of 2^53": [{ location: "data", offset: "9007199254740993" }, /expected a whole number for offset/],
    "a negative offset": [{ location: "data", offset: -1 }, /expected a whole number for offset/],
    "a length that is no number": [{ location: "data", length: "many" }, /expected a whole number for length/],
    "a length of other sizes": [
      { location: "data", length: 396 },
      /expected 400 bytes of external data, the model says 396/,
    ],
    "a rest of the file that is longer": [{ location: "data", offset: 4 }, /expected bytes 4 to 404/],
  };
  for (const [what, [values, message]] of Object.entries(refusals))
    it(`refuses ${what}`, () => {
      expect(() => read([weight(values)])).toThrow(message);
      expect(() => read([weight(values)])).toThrow(OnnxFormatError);
    });

  it("refuses sizes that no file has, before it takes memory for them", () => {
    const before = process.memoryUsage().arrayBuffers;
    const huge = weight({ location: "data" }, { dims: [2 ** 40] });
    expect(() => read([huge])).toThrow(/expected bytes 0 to 4398046511104 of "data", which has 400/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  });

  it("refuses a thousand tensors on one range", () => {
    const tensors = Array.from({ length: 1000 }, () => weight({ location: "data" }));
    expect(() => read(tensors)).toThrow(/^initializer "w2": "data" has 400 bytes, and tensors ask for more than twice/);
  });

  it("keeps to the caller's limit", () => {
    expect(() => read([weight({ location: "data" })], { external: { bytes: 399 } })).toThrow(
      /more than 399 bytes of memory/,
    );
  });

  it("refuses strings, and a bool that is none", () => {
    expect(() => read([weight({ location: "data" }, { dataType: 8 })])).toThrow(/strings in another file/);
    writeFileSync(join(place, "twos"), new Uint8Array(100).fill(2));
    expect(() => read([weight({ location: "twos" }, { dataType: 9 })])).toThrow(/expected 0 or 1 for each bool/);
  });
});
