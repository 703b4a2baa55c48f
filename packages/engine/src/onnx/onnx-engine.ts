/** @file ONNX models on ONNX Runtime. */
import { createSession, type Session } from "@gristmill/onnx";
import { checkInputs } from "../check-inputs.ts";
import type { Engine, EngineStats, InferOptions, InferResult, LoadEngine, Signature } from "../engine.ts";
import { EngineClosedError, EngineRunError } from "../errors.ts";

/** Opens a session on the file. Weights are constants of the graph, which the runtime packs once at loading. */
export const loadOnnxEngine: LoadEngine = async (artifactPath, { threads, name, signal }) => {
  try {
    // Requests come with pauses between them: two threads that spin through a pause of 2 ms cost 1.7 ms of CPU a
    // request, sleeping ones 0.3, at the same time to answer (reference CNN, 2 cores, 2026-11).
    const options = { threads, name, spinning: false, ...(signal && { signal }) };
    return new OnnxEngine(await createSession(artifactPath, options));
  } catch (cause) {
    signal?.throwIfAborted();
    throw new EngineRunError(messageOf(cause), { cause });
  }
};

class OnnxEngine implements Engine {
  readonly signature: Signature;
  readonly #session: Session;
  #isClosed = false;

  constructor(session: Session) {
    this.#session = session;
    this.signature = { inputs: session.inputs, outputs: session.outputs };
  }

  async infer(inputs: Parameters<Engine["infer"]>[0], { outputs, signal }: InferOptions = {}): Promise<InferResult> {
    if (this.#isClosed) throw new EngineClosedError();
    signal?.throwIfAborted();
    checkInputs(this.signature, inputs, outputs);
    try {
      const run = await this.#session.run(inputs, { ...(outputs && { outputs }), ...(signal && { signal }) });
      return { outputs: run.outputs, computeMs: run.elapsedMs };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new EngineRunError(messageOf(cause), { cause });
    }
  }

  stats(): EngineStats {
    const { loadMs, runs, totalRunMs } = this.#session.timings;
    return { loadMs, runs, totalRunMs };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session.close();
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
