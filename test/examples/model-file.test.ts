import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { obtainModel } from "../../examples/data/model-file.ts";

let folder: string;
let env: { GRISTMILL_MODELS_CACHE: string; GRISTMILL_MODELS_MIRROR: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-"));
  env = { GRISTMILL_MODELS_CACHE: join(folder, "cache"), GRISTMILL_MODELS_MIRROR: folder };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sha256 = createHash("sha256").update("weights").digest("hex");
const model = { name: "small", file: "small.gguf", sha256, python: undefined };

it("takes a model from the mirror once, then from the cache", async () => {
  await writeFile(join(folder, "small.gguf"), "weights");
  const obtained = await obtainModel(model, env);
  await rm(join(folder, "small.gguf"));
  expect(await obtainModel(model, env)).toEqual(obtained);
  expect(await readFile("path" in obtained ? obtained.path : "", "utf8")).toBe("weights");
});

it("says why a model cannot be had, and keeps nothing", async () => {
  expect(await obtainModel(model, env)).toEqual({ reason: "no package carries small.gguf, and no mirror has it" });
  expect(await readdir(env.GRISTMILL_MODELS_CACHE)).toEqual([]);
});

it("refuses another content, in the mirror and in the cache", async () => {
  await writeFile(join(folder, "small.gguf"), "other");
  await expect(obtainModel(model, env)).rejects.toThrow(/expected small with SHA-256 .*, received/);
  expect(await readdir(env.GRISTMILL_MODELS_CACHE)).toEqual([]);
  await writeFile(join(folder, "small.gguf"), "weights");
  await obtainModel(model, env);
  await writeFile(join(env.GRISTMILL_MODELS_CACHE, "small", "small.gguf"), "damaged");
  await expect(obtainModel(model, env)).rejects.toThrow("remove the file");
});
