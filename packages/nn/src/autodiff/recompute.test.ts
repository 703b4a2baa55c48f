import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createSession, GraphBuilder, model, type Tensor, tensor } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { gradients } from "./gradients.ts";
import { deepStack } from "./testing/deep-stack.ts";

const small = { layers: 3, batch: 2, time: 5, width: 8, heads: 2 };

async function outputsOf(recompute: boolean): Promise<Readonly<Record<string, Tensor>>> {
  const stack = deepStack(small, recompute);
  const session = await createSession(stack.model, { threads: 1 });
  const { outputs } = await session.run(stack.feeds);
  await session.close();
  return outputs;
}

it("a stack whose blocks are computed twice gives the same bits", async () => {
  const [kept, twice] = [await outputsOf(false), await outputsOf(true)];
  expect(Object.keys(kept).length).toBe(1 + small.layers * 16);
  expect(twice).toEqual(kept);
  expect(kept["loss"]?.data[0]).toBeGreaterThan(0);
});

it("peak memory falls, though the runtime merges equal nodes", { timeout: 60_000 }, () => {
  const bench = fileURLToPath(new URL("./recompute.bench.ts", import.meta.url));
  const grown = (way: string): number => {
    const sizes = ["8", "8", "64", "64", "4"];
    const said = execFileSync(process.execPath, [bench, way, ...sizes], { encoding: "utf8" });
    const [, before, peak] = /first run (\d+) MB, peak (\d+) MB/.exec(said) ?? [];
    return Number(peak) - Number(before);
  };
  // 24 against 83 MB when it was written
  // 21 against 57 MB when it was written
  expect(grown("twice")).toBeLessThan(0.6 * grown("kept"));
});

/** A block that reads a drawn mask, a scalar and a whole number, and its gradient. */
function oddBlock(recompute: boolean) {
  const builder = new GraphBuilder("odd");
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [4]);
  const factor = builder.input("factor", "float32", []);
  const times = builder.input("times", "int64", []);
  const w = builder.input("w", "float32", [4]);
  const y = builder.within("odd", () => {
    const drawn = builder.op("RandomUniformLike", [x], { seed: 3 });
    const scaled = math.mul(math.mul(x, factor), math.cast(times, "float32"));
    return math.exp(math.mul(math.mul(math.add(scaled, drawn), w), w));
  });
  const dy = math.filled([4], 1, "float32");
  const options = recompute ? { recompute: ["odd"] } : {};
  const [dw] = gradients(math, { value: y, gradient: dy }, [w], options);
  if (dw === undefined) throw new Error("no gradient");
  builder.output(y, "y");
  builder.output(dw, "dw");
  return prune(builder.build());
}

it("what a block draws is not drawn again; scalars and whole numbers enter the copy too", async () => {
  const graph = oddBlock(true);
  expect(graph.nodes.filter(({ operator }) => operator === "RandomUniformLike")).toHaveLength(1);
  const [, kept] = [graph, oddBlock(false)];
  expect(graph.nodes.length).toBeGreaterThan(kept.nodes.length);
  const session = await createSession(model(graph), { threads: 1 });
  const feeds = {
    x: tensor("float32", [4], Float32Array.of(0.1, -0.2, 0.3, 0)),
    factor: tensor("float32", [], Float32Array.of(0.5)),
    times: tensor("int64", [], BigInt64Array.of(2n)),
    w: tensor("float32", [4], Float32Array.of(0.7, 0.8, -0.9, 1)),
  };
  const { outputs } = await session.run(feeds);
  await session.close();
  // y = exp(u w w), so dw = 2 y log(y) / w whatever was drawn
  const y = outputs["y"]?.data as Float32Array;
  y.forEach((value, i) => {
    expect(outputs["dw"]?.data[i]).toBeCloseTo((2 * value * Math.log(value)) / (feeds.w.data[i] ?? 1), 4);
  });
});

it("an unknown scope is refused, with those that there are", () => {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [2]);
  const y = builder.within("dense_1", () => math.mul(x, x));
  expect(() => gradients(math, { value: y, gradient: y }, [x], { recompute: ["dense"] })).toThrow(
    'expected scopes that nodes of the graph are named by, received "dense"; it has dense_1',
  );
});
