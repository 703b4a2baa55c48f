/** @file How llama.cpp's own server is started: pure, from our options to its arguments. */
import { EngineRunError } from "../errors.ts";
import type { LanguageEngineOptions } from "../language/language-engine.ts";

/** How a model is served by the operator's own llama.cpp server. */
export interface LlamaServerOptions extends LanguageEngineOptions {
  /** The program's path. It runs with the rights of this process: the operator's to choose, never a user's. */
  readonly binaryPath: string;
  /** What the model is for: a server of embeddings or rankings generates nothing. Default "generate". */
  readonly use?: "generate" | "embed" | "rerank";
  /** How the vectors of tokens become one, for `embed`; default: as the file says, which it must then. */
  readonly pooling?: "mean" | "cls" | "last";
  /** The file of a projector of images (mmproj). */
  readonly projectorPath?: string;
  /** The file of a small model that guesses ahead (speculative decoding). */
  readonly draftPath?: string;
  /** Until the model is loaded; default 300,000. */
  readonly startTimeoutMs?: number;
}

/** As in LanguageEngineOptions: the server shortens it to the model's own. */
const defaultContextLength = 4096;

/** The program's arguments. The port is the system's to choose and its key comes by the environment. @throws EngineRunError for adapters whose path can't be said. */
export function llamaServerArguments(artifactPath: string, options: LlamaServerOptions): readonly string[] {
  const { slots, threads, prefillChunk, adapters = [], use = "generate" } = options;
  const contextLength = options.contextLength ?? defaultContextLength;
  // Embeddings and rankings read each input in one step.
  const batch = use === "generate" ? prefillChunk : contextLength;
  return [
    ...["--model", artifactPath, "--alias", options.name, "--host", "127.0.0.1", "--port", "0"],
    ...["--threads", String(threads), "--threads-batch", String(threads), "--threads-http", String(slots + 4)],
    ...["--parallel", String(slots), "--ctx-size", String(contextLength * slots), "--no-kv-unified"],
    ...["--batch-size", String(batch), "--ubatch-size", String(batch)],
    ...["--no-ui", "--offline", "--no-slots"],
    ...(use === "embed" ? ["--embeddings"] : use === "rerank" ? ["--reranking"] : []),
    ...(options.pooling === undefined ? [] : ["--pooling", options.pooling]),
    ...(options.projectorPath === undefined ? [] : ["--mmproj", options.projectorPath]),
    ...(options.draftPath === undefined ? [] : ["--model-draft", options.draftPath]),
    ...adapters.flatMap(({ path, scale }) => ["--lora-scaled", `${adapterPath(path, options.name)}:${scale}`]),
  ];
}

/** The program takes adapters as a list with commas and colons, and none can be quoted. */
function adapterPath(path: string, name: string): string {
  if (!/[,:]/.test(path)) return path;
  throw new EngineRunError(
    `model "${name}": expected an adapter's path without commas and colons, received ${JSON.stringify(path)}; move the file`,
  );
}
