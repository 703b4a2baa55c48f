import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineRunError } from "../errors.ts";
import { connectUpstream, type UpstreamEngine } from "../upstream/upstream-engine.ts";
import { type LlamaServerOptions, llamaServerArguments } from "./options.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** A model in a llama.cpp server of its own. */
export interface LlamaServerEngine extends UpstreamEngine {
  /** Resolves when the server has ended, with what it said last: calls fail from then on. Whoever loaded it may load it again. */
  readonly ended: Promise<string>;
}

/**
 * Starts the operator's llama.cpp server for one model file and speaks to it as to an upstream. It listens on this machine alone, wants a key that
 * nobody else knows, and ends with this process.
 * @throws EngineRunError when it can't be started, refuses the model, or takes too long; `signal.reason`.
 */
export async function loadLlamaServer(artifactPath: string, options: LlamaServerOptions): Promise<LlamaServerEngine> {
  const { name, binaryPath, startTimeoutMs = 300_000 } = options;
  const key = randomBytes(24).toString("base64url");
  const late = AbortSignal.timeout(startTimeoutMs);
  const signal = options.signal === undefined ? late : AbortSignal.any([options.signal, late]);
  signal.throwIfAborted();
  const server = await startServerProcess(binaryPath, llamaServerArguments(artifactPath, options), {
    LLAMA_API_KEY: key,
  });
  try {
    const address = await server.find((output) => /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1], signal);
    await untilLoaded(server, `${address}/health`, signal);
    const upstream = await connectTo(`${address}/v1`, key, options, signal);
    return withServer(upstream, server);
  } catch (error) {
    await server.stop();
    if (!late.aborted || options.signal?.aborted === true) throw error;
    throw new EngineRunError(
      `model "${name}": llama-server was not ready within ${startTimeoutMs} ms; its last lines: ${server.lastLines()}`,
      { cause: error },
    );
  }
}

const pollMs = 50;

/** It listens while it loads, and says 503 until it has. */
async function untilLoaded(server: ServerProcess, healthUrl: string, signal: AbortSignal): Promise<void> {
  let end: number | string | undefined;
  void server.exited.then((how) => {
    end = how;
  });
  for (;;) {
    // A refused connection is that of a server which has just ended: said below.
    const response = await fetch(healthUrl, { signal }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return;
    if (end !== undefined)
      throw new EngineRunError(`llama-server ended with ${end}; its last lines: ${server.lastLines()}`);
    await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function connectTo(
  baseUrl: string,
  key: string,
  options: LlamaServerOptions,
  signal: AbortSignal,
): Promise<UpstreamEngine> {
  const { name, slots, maxQueue, use = "generate", projectorPath } = options;
  const generates = use === "generate";
  return connectUpstream({
    name,
    baseUrl,
    model: name,
    credentials: { type: "bearer", token: key },
    dialect: "llama-server",
    slots,
    maxQueue,
    fetch,
    signal,
    // It is our own and near: what it fails at, it fails at again.
    retry: { retries: 0 },
    breaker: { failures: Number.MAX_SAFE_INTEGER },
    facts: {
      abilities: {
        complete: generates,
        chat: generates,
        embed: use === "embed",
        rerank: use === "rerank",
        images: projectorPath !== undefined,
      },
    },
  });
}

function withServer(upstream: UpstreamEngine, server: ServerProcess): LlamaServerEngine {
  const ended = server.exited.then((how) => `ended with ${how}: ${server.lastLines()}`);
  let isEnded = false;
  void server.exited.then(() => {
    isEnded = true;
    // Calls under way hear from their broken connections; those that wait would wait for nothing.
    void upstream.close();
  });
  return {
    card: upstream.card,
    ended,
    load: () => upstream.load(),
    isAvailable: () => !isEnded && upstream.isAvailable(),
    chat: (request, call) => upstream.chat(request, call),
    complete: (request, call) => upstream.complete(request, call),
    embed: (inputs, call) => upstream.embed(inputs, call),
    rerank: (request, call) => upstream.rerank(request, call),
    countTokens: (request, call) => upstream.countTokens(request, call),
    async close() {
      await upstream.close();
      await server.stop();
    },
  };
}
