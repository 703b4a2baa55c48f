import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Dtype } from "../dtype.ts";
import { DtypeError, SessionError, ShapeError } from "../errors.ts";
import { encodeModel } from "../format/encode.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Model } from "../graph/graph.ts";
import { model } from "../graph/model.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { createSession, type SessionOptions } from "./session.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-session-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** y = a + b over named axes, and its negative. */
function sum(dtype: Dtype = "float32"): Model {
  const g = new GraphBuilder("sum");
  const a = g.input("a", dtype, ["batch", 2]);
  const b = g.input("b", dtype, ["batch", 2]);
  const y = g.op("Add", [a, b]);
  g.output(y, "y");
  g.output(g.op("Neg", [y]), "minus");
  return model(g.build());
}

/** y = x, of one type. */
function same(dtype: Dtype): Model {
  const g = new GraphBuilder("same");
  g.output(g.op("Identity", [g.input("x", dtype, ["n"])]), "y");
  return model(g.build());
}

async function open(source: Model | Uint8Array | string, options: SessionOptions = {}) {
  const session = await createSession(source, { threads: 1, ...options });
  return Object.assign(session, { [Symbol.asyncDispose]: () => session.close() });
}

const pair = (...numbers: number[]): Tensor => tensor("float32", [numbers.length / 2, 2], Float32Array.from(numbers));
const feeds = { a: pair(1, 2, 3, 4), b: pair(10, 20, 30, 40) };

describe("a session", () => {
  it("tells inputs and outputs with their named axes", async () => {
    await using session = await open(sum());
    expect(session.inputs).toEqual([
      { name: "a", dtype: "float32", shape: ["batch", 2] },
      { name: "b", dtype: "float32", shape: ["batch", 2] },
    ]);
    expect(session.outputs.map((port) => port.name)).toEqual(["y", "minus"]);
  });

  it("runs, and counts its time", async () => {
    let clock = 0;
    await using session = await open(sum(), { now: () => clock++ });
    const { outputs, elapsedMs } = await session.run(feeds);
    expect(outputs["y"]).toEqual(pair(11, 22, 33, 44));
    expect(outputs["minus"]).toEqual(pair(-11, -22, -33, -44));
    expect(elapsedMs).toBe(1);
    await session.run(feeds);
    expect(session.timings).toEqual({ loadMs: 1, runs: 2, totalRunMs: 2 });
  });

  it("computes only the outputs that are asked for", async () => {
    await using session = await open(sum());
    expect(Object.keys((await session.run(feeds, { outputs: ["minus"] })).outputs)).toEqual(["minus"]);
  });

  it("writes into preallocated tensors in place", async () => {
    await using session = await open(sum());
    const y = pair(0, 0, 0, 0);
    const { outputs } = await session.run(feeds, { into: { y } });
    expect(outputs["y"]).toBe(y);
    expect(y.data).toEqual(Float32Array.of(11, 22, 33, 44));
  });

  it("writes into the middle of a larger buffer, and touches nothing else", async () => {
    await using session = await open(sum());
    const memory = new Float32Array(8).fill(7);
    await session.run(feeds, { into: { y: tensor("float32", [2, 2], memory.subarray(2, 6)) } });
    expect(memory).toEqual(Float32Array.of(7, 7, 11, 22, 33, 44, 7, 7));
  });

  const values: readonly Tensor[] = [
    tensor("float32", [2], Float32Array.of(1.5, Number.NaN)),
    tensor("float64", [2], Float64Array.of(0.1, -0)),
    tensor("float16", [3], Uint16Array.of(0x3c00, 0xc000, 0x7bff)),
    tensor("int8", [2], Int8Array.of(-128, 127)),
    tensor("int16", [2], Int16Array.of(-32768, 1)),
    tensor("int32", [2], Int32Array.of(-(2 ** 31), 1)),
    tensor("int64", [2], BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)),
    tensor("uint8", [2], Uint8Array.of(0, 255)),
    tensor("uint16", [2], Uint16Array.of(0, 65535)),
    tensor("uint32", [2], Uint32Array.of(0, 2 ** 32 - 1)),
    tensor("uint64", [2], BigUint64Array.of(0n, 2n ** 64n - 1n)),
    tensor("bool", [2], Uint8Array.of(0, 1)),
    tensor("string", [3], ["", "naïve", "漢字"]),
    tensor("float32", [0], new Float32Array(0)),
  ];
  for (const value of values)
    it(`hands ${value.dtype} [${value.shape}] in and out unchanged`, async () => {
      await using session = await open(same(value.dtype));
      expect((await session.run({ x: value })).outputs["y"]).toEqual(value);
    });

  it("writes float16 in place by its bits", async () => {
    await using session = await open(same("float16"));
    const y = tensor("float16", [2], new Uint16Array(2));
    await session.run({ x: tensor("float16", [2], Uint16Array.of(0x3c00, 0xc000)) }, { into: { y } });
    expect(y.data).toEqual(Uint16Array.of(0x3c00, 0xc000));
  });

  it("fixes named axes on request", async () => {
    await using session = await open(sum(), { dimensions: { batch: 2 } });
    expect(session.inputs[0]?.shape).toEqual([2, 2]);
    await expect(session.run({ a: pair(1, 2), b: pair(1, 2) })).rejects.toThrow(
      /expected shape \[2, 2\], received \[1, 2\]/,
    );
  });

  it("opens bytes and files as well as models", async () => {
    const bytes = encodeModel(sum());
    const path = join(folder, "sum.onnx");
    await writeFile(path, bytes);
    // bytes that start in the middle of a buffer, as those of a request body do
    const inside = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    for (const source of [bytes, path, inside]) {
      await using session = await open(source);
      expect((await session.run(feeds)).outputs["y"]).toEqual(pair(11, 22, 33, 44));
    }
  });

  it("gives the same answers at every level of optimization", async () => {
    for (const optimization of ["all", "basic", "none"] as const) {
      await using session = await open(sum(), { optimization });
      expect((await session.run(feeds)).outputs["y"]).toEqual(pair(11, 22, 33, 44));
    }
  });

  it("writes a profile when it closes", async () => {
    const session = await createSession(sum(), { threads: 1, profile: join(folder, "profile") });
    await session.run(feeds);
    await session.close();
    const [profile] = (await readdir(folder)).filter((name) => name.startsWith("profile"));
    expect(profile).toMatch(/\.json$/);
  });
});

describe("a session refuses, naming the tensor", () => {
  it.each([
    [
      "a missing input",
      { a: pair(1, 2) },
      SessionError,
      'sum: input "b": expected float32 [batch, 2], received nothing; feed it',
    ],
    [
      "an unknown input",
      { ...feeds, c: pair(1, 2) },
      SessionError,
      'sum: input "c": the model has no such input; it has "a", "b"',
    ],
    [
      "another type",
      { ...feeds, b: tensor("int64", [2, 2], new BigInt64Array(4)) },
      DtypeError,
      'sum: input "b": expected float32, received int64',
    ],
    [
      "another number of axes",
      { ...feeds, a: tensor("float32", [4], new Float32Array(4)) },
      ShapeError,
      'sum: input "a": expected shape [batch, 2], received [4]',
    ],
    [
      "another size",
      { ...feeds, a: tensor("float32", [2, 3], new Float32Array(6)) },
      ShapeError,
      'sum: input "a": expected shape [batch, 2], received [2, 3]',
    ],
    [
      "named axes that differ",
      { ...feeds, b: pair(1, 2) },
      ShapeError,
      'sum: input "b": expected batch = 2 on axis 0, as "a" has, received 1',
    ],
    [
      "too few elements",
      { ...feeds, a: { ...pair(1, 2, 3, 4), data: new Float32Array(3) } as Tensor },
      ShapeError,
      'sum: input "a": expected 4 elements for [2, 2], received 3',
    ],
    [
      "a name that every object has",
      { ...feeds, constructor: pair(1, 2) },
      SessionError,
      'sum: input "constructor": the model has no such input',
    ],
  ])("%s", async (_, bad, kind, message) => {
    await using session = await open(sum());
    const run = session.run(bad as Readonly<Record<string, Tensor>>);
    await expect(run).rejects.toThrow(kind);
    await expect(run).rejects.toThrow(message);
    expect(session.timings.runs).toBe(0);
  });

  it("outputs that do not exist, or do not fit", async () => {
    await using session = await open(sum());
    await expect(session.run(feeds, { outputs: ["z"] })).rejects.toThrow(
      'output "z": the model has no such output; it has "y", "minus"',
    );
    await expect(session.run(feeds, { into: { y: tensor("float32", [2], new Float32Array(2)) } })).rejects.toThrow(
      ShapeError,
    );
    await expect(session.run(feeds, { outputs: ["minus"], into: { y: pair(0, 0, 0, 0) } })).rejects.toThrow(
      /outputs leaves out/,
    );
  });

  it("a preallocated tensor of another size than the run gives, in the runtime's words", async () => {
    await using session = await open(sum());
    await expect(session.run(feeds, { into: { y: pair(0, 0) } })).rejects.toThrow(SessionError);
    // and the session still works
    expect((await session.run(feeds)).outputs["y"]).toEqual(pair(11, 22, 33, 44));
  });

  it("a bad file, by the file's name", async () => {
    const path = join(folder, "broken.onnx");
    await writeFile(path, encodeModel(sum()).subarray(0, 40));
    await expect(createSession(path, { threads: 1 })).rejects.toThrow(SessionError);
    await expect(createSession(path, { threads: 1 })).rejects.toThrow(/^broken\.onnx: the model cannot be loaded: /);
    await expect(createSession(join(folder, "nowhere.onnx"), { threads: 1 })).rejects.toThrow(/^nowhere\.onnx: /);
    await expect(createSession(Buffer.from("noise"), { name: "upload 7" })).rejects.toThrow(/^upload 7: /);
  });

  it("what fails inside the run, by the node's name", async () => {
    const g = new GraphBuilder("gather");
    const place = g.input("place", "int64", []);
    g.output(
      g.within("embedding", () => g.op("Gather", [g.constant(pair(1, 2)), place])),
      "y",
    );
    await using session = await open(model(g.build()));
    await expect(session.run({ place: tensor("int64", [], BigInt64Array.of(5n)) })).rejects.toThrow(
      /gather: the run failed: .*embedding\/Gather/,
    );
  });

  it("a number of threads that is none", async () => {
    for (const threads of [0, -1, 1.5, Number.NaN])
      await expect(createSession(sum(), { threads })).rejects.toThrow(/expected threads to be a whole number from 1/);
  });
});

describe("a session in time", () => {
  it("runs concurrent calls one after the other, in order", async () => {
    await using session = await open(sum());
    const order: number[] = [];
    const runs = [1, 2, 3, 4].map(async (n) => {
      const { outputs } = await session.run({ a: pair(n, 0), b: pair(0, n) });
      order.push(n);
      return outputs["y"]?.data;
    });
    expect(await Promise.all(runs)).toEqual([1, 2, 3, 4].map((n) => Float32Array.of(n, n)));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("does not start what is aborted before", async () => {
    await using session = await open(sum());
    await expect(session.run(feeds, { signal: AbortSignal.abort(new Error("no more")) })).rejects.toThrow("no more");
    await expect(createSession(sum(), { signal: AbortSignal.abort(new Error("too late")) })).rejects.toThrow(
      "too late",
    );
    expect(session.timings.runs).toBe(0);
  });

  it("lets a run that waits be aborted, and goes on with the next", async () => {
    await using session = await open(sum());
    const stop = new AbortController();
    const first = session.run(feeds);
    const second = session.run(feeds, { signal: stop.signal });
    const third = session.run(feeds);
    stop.abort(new Error("changed my mind"));
    await expect(second).rejects.toThrow("changed my mind");
    await first;
    await third;
    expect(session.timings.runs).toBe(2);
  });

  it("goes on after a run that failed", async () => {
    await using session = await open(sum());
    const bad = session.run(feeds, { into: { y: pair(0, 0) } });
    const good = session.run(feeds);
    await expect(bad).rejects.toThrow(SessionError);
    expect((await good).outputs["y"]).toEqual(pair(11, 22, 33, 44));
  });

  it("refuses more than 1,024 waiting runs", async () => {
    await using session = await open(sum());
    const runs = Array.from({ length: 1025 }, () => session.run(feeds));
    await expect(runs.pop()).rejects.toThrow(/1024 runs are waiting already/);
    await Promise.all(runs);
  });

  it("finishes the run under way when closed, refuses what waits and what comes, and closes twice", async () => {
    const session = await createSession(sum(), { threads: 1 });
    const first = session.run(feeds);
    const second = session.run(feeds);
    // the first starts in a later turn of the event loop than this one, the second after it
    await Promise.resolve();
    const closing = session.close();
    expect((await first).outputs["y"]).toEqual(pair(11, 22, 33, 44));
    await expect(second).rejects.toThrow(/the session is closed/);
    await expect(session.run(feeds)).rejects.toThrow(/sum: the session is closed; open a new one/);
    await closing;
    await session.close();
  });
});

describe("the native library", () => {
  it("is not loaded by importing the package, and is by opening a session", async () => {
    const index = new URL("../index.ts", import.meta.url).href;
    const script = `
      const { createSession, encodeModel, GraphBuilder, model } = await import(${JSON.stringify(index)});
      const loaded = () => process.report.getReport().sharedObjects.some((file) => file.includes("onnxruntime"));
      const g = new GraphBuilder();
      g.output(g.op("Neg", [g.input("x", "float32", [1])]));
      const bytes = encodeModel(model(g.build()));
      const before = loaded();
      const session = await createSession(bytes, { threads: 1 });
      console.log(JSON.stringify([before, loaded()]));
      await session.close();
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    expect(JSON.parse(stdout)).toEqual([false, true]);
  });
});
