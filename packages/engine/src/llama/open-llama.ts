/** @file llama.cpp's library, with what it says when something fails. */
import type { Llama, LlamaModel } from "node-llama-cpp";
import { EngineRunError } from "../errors.ts";
import type { LanguageEngineOptions } from "../language/language-engine.ts";

/** The library and a model of it, as other rooms may hold them: they name no library. */
export type { Llama, LlamaModel };

/**
 * Opens the library for one model, which frees it when it is closed. It is loaded with the first model, so that a process
 * without one never does.
 * @throws EngineRunError with what `load` threw and what llama.cpp said last; `signal.reason`. The library is freed then.
 */
export async function withLlama<T>(
  { gpu, threads, signal }: Pick<LanguageEngineOptions, "gpu" | "threads" | "signal">,
  load: (llama: Llama) => Promise<T>,
): Promise<T> {
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  const messages: string[] = [];
  let llama: Llama | undefined;
  try {
    llama = await getLlama({
      gpu: gpu === true ? "auto" : false,
      build: "never",
      // Without both this and `threads` of the context, 4 threads at least compute, on 2 cores 100 times slower.
      maxThreads: threads,
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => {
        messages.push(message.trim());
        if (messages.length > 5) messages.shift();
      },
      progressLogs: false,
    });
    return await load(llama);
  } catch (cause) {
    await llama?.dispose();
    signal?.throwIfAborted();
    if (cause instanceof EngineRunError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineRunError([reason, ...messages].join("; "), { cause });
  }
}
