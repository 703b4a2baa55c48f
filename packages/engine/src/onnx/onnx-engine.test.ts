import { writeFile } from "node:fs/promises";
import { encodeModel, GraphBuilder, model, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { EngineRunError } from "../errors.ts";
import { describeEngine } from "../testing/describe-engine.ts";
import { lookup, twoOutputs, withArtifact } from "../testing/models.ts";
import { loadOnnxEngine } from "./onnx-engine.ts";

describeEngine("loadOnnxEngine", (options) => withArtifact(twoOutputs(), (path) => loadOnnxEngine(path, options)));

describe("loadOnnxEngine", () => {
  it("[ENG6] refuses a file that is no model with the runtime's own words and the name given", async () => {
    await withArtifact(new TextEncoder().encode("not a model"), async (path) => {
      await writeFile(path, "not a model");
      const error = await loadOnnxEngine(path, { threads: 1, name: "mnist@3" }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineRunError);
      expect((error as Error).message).toMatch(/mnist@3.*cannot be loaded/);
    });
  });

  it("[ENG6] tells a run that the runtime refuses in its own words, and goes on", async () => {
    const engine = await withArtifact(lookup(), (path) => loadOnnxEngine(path, { threads: 1, name: "lookup" }));
    const index = (value: bigint) => ({ index: tensor("int64", [1], new BigInt64Array([value])) });
    await expect(engine.infer(index(9n))).rejects.toThrow(/lookup.*out of (data )?bounds/);
    expect((await engine.infer(index(2n))).outputs["row"]?.data).toEqual(new Float32Array([20, 21]));
    await engine.close();
  });

  it("runs a model whose inputs have fixed sizes", async () => {
    const graph = new GraphBuilder("fixed");
    graph.output(graph.op("Neg", [graph.input("x", "float32", [2])]), "y");
    const engine = await withArtifact(encodeModel(model(graph.build())), (path) =>
      loadOnnxEngine(path, { threads: 1, name: "fixed" }),
    );
    const { outputs } = await engine.infer({ x: tensor("float32", [2], new Float32Array([1, -2])) });
    expect(outputs["y"]?.data).toEqual(new Float32Array([-1, 2]));
    await engine.close();
  });
});
