/**
 * @file Reads the front of a GGUF file that someone sent, from the disk. It runs no native code: llama.cpp ends its process
 * on files that this refuses. A thread does it, because a large vocabulary keeps a processor busy for a second.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError, type LanguageModel } from "@gristmill/contract";
import type { InspectedGguf, InspectGgufTask } from "./inspect-gguf-thread.ts";
import { Turns } from "./turns.ts";

/** What one inspection may take. */
export interface InspectionBounds {
  readonly heapMebibytes: number;
  readonly milliseconds: number;
}

const bounds: InspectionBounds = { heapMebibytes: 512, milliseconds: 60_000 };
/** Each may take the whole heap that it is allowed. */
const turns = new Turns(2);

/** What a file says of its model. @throws AppError `data.malformed` that says where; `signal.reason`. */
export const inspectGguf = (task: InspectGgufTask, signal: AbortSignal, limits = bounds): Promise<LanguageModel> =>
  turns.run(signal, () => inspectByThread(task, signal, limits));

async function inspectByThread(
  task: InspectGgufTask,
  signal: AbortSignal,
  { heapMebibytes, milliseconds }: InspectionBounds,
): Promise<LanguageModel> {
  signal.throwIfAborted(); // also while the turn came: an abort that has been is no event any more
  const thread = new Worker(join(import.meta.dirname, "inspect-gguf-thread.ts"), {
    workerData: task,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMebibytes },
  });
  const limit = AbortSignal.timeout(milliseconds);
  const stop = AbortSignal.any([signal, limit]);
  try {
    const inspected = await new Promise<InspectedGguf>((resolve, reject) => {
      thread.once("message", resolve);
      thread.on("error", reject);
      thread.once("exit", (code) =>
        reject(new Error(`the thread that read a language model's front ended with ${code} and no answer`)),
      );
      stop.addEventListener("abort", () => reject(stop.reason), { once: true });
    });
    if ("card" in inspected) return inspected.card;
    throw malformed(inspected.problem, inspected.details);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw malformed(`its front could not be read within ${milliseconds} ms`, {}, error);
    if (isOutOfMemory(error))
      throw malformed(`its front takes more than ${heapMebibytes} MiB of memory to read`, {}, error);
    throw error;
  } finally {
    await thread.terminate();
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";

const malformed = (problem: string, details: Readonly<Record<string, unknown>>, cause?: unknown): AppError =>
  new AppError("data.malformed", `The language model can't be served: ${problem}.`, { details: { ...details }, cause });
