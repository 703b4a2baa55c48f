/** @file What a model will take of memory, before it takes it: a process that runs out is killed without a word. */
import type { Llama } from "node-llama-cpp";
import { EngineRunError } from "../errors.ts";

/** What is to be loaded. */
export interface MemoryPlan {
  readonly path: string;
  readonly contextLength: number;
  readonly slots: number;
  readonly batchSize: number;
}

/** @throws EngineRunError that says what the model needs and what there is. */
export async function expectMemory(llama: Llama, plan: MemoryPlan, free = process.availableMemory()): Promise<void> {
  const needed = await neededBytes(llama, plan);
  if (needed <= free) return;
  throw new EngineRunError(
    `expected at least ${megabytes(needed)} of free memory for the model with ${plan.slots} contexts of ` +
      `${plan.contextLength} tokens, received ${megabytes(free)}; ask for fewer slots, a shorter context or a smaller model`,
  );
}

/** Bytes of weights, contexts and working memory, as llama.cpp itself plans them, on the processor alone. */
async function neededBytes(llama: Llama, { path, contextLength, slots, batchSize }: MemoryPlan): Promise<number> {
  const { GgufInsights, readGgufFileInfo } = await import("node-llama-cpp");
  const info = await readGgufFileInfo(path, { sourceType: "filesystem", logWarnings: false });
  const insights = await GgufInsights.from(info, llama);
  const weights = await insights.estimateModelResourceRequirementsV2({ gpuLayers: 0, useMmap: false });
  const context = await insights.estimateContextResourceRequirementsV2({
    contextSize: contextLength,
    modelGpuLayers: 0,
    batchSize,
    sequences: slots,
  });
  return weights.cpuRam + context.cpuRam;
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
