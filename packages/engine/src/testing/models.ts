/** @file Small models for tests, made where they are needed. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, GraphBuilder, model } from "@gristmill/onnx";

/** `sum = a + b`, `difference = a - b`, float32 [batch, 3]. */
export function twoOutputs(): Uint8Array {
  const graph = new GraphBuilder("two-outputs");
  const a = graph.input("a", "float32", ["batch", 3]);
  const b = graph.input("b", "float32", ["batch", 3]);
  graph.output(graph.op("Add", [a, b]), "sum");
  graph.output(graph.op("Sub", [a, b]), "difference");
  return encodeModel(model(graph.build()));
}

/** `row = table[index]` with index int64 [batch] and a table of 4 rows of 2: an index out of range fails the whole run. */
export function lookup(): Uint8Array {
  const graph = new GraphBuilder("lookup");
  const index = graph.input("index", "int64", ["batch"]);
  const table = graph.initializer("table", {
    dtype: "float32",
    shape: [4, 2],
    data: new Float32Array([0, 1, 10, 11, 20, 21, 30, 31]),
  });
  graph.output(graph.op("Gather", [table, index], { axis: 0 }), "row");
  return encodeModel(model(graph.build()));
}

/** Calls with the path of a file of these bytes, which is gone afterwards. */
export async function withArtifact<T>(bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-engine-"));
  try {
    const path = join(folder, "model.onnx");
    await writeFile(path, bytes);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
