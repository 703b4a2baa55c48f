/** @file The thread that reads the front of one GGUF file. Few modules, so that it starts fast. */
import { parentPort, workerData } from "node:worker_threads";
import type { LanguageModel } from "@gristmill/contract";
import { bytesSource, GgufError, openGgufHeader, readGgufHeader } from "@gristmill/gguf";
import { CardRefusal, languageCard, type Weights } from "./language-card.ts";

/** What the thread is to read: a file, or the front that a file of another format brings along, with what is known of its weights. */
export type InspectGgufTask = { readonly path: string } | { readonly front: Uint8Array; readonly weights: Weights };

/** What comes of it; anything else ends the thread with its error. */
export type InspectedGguf =
  | { readonly card: LanguageModel }
  | { readonly problem: string; readonly details: Readonly<Record<string, unknown>> };

/** The largest vocabularies of today (260,000 tokens, or 200,000 with 450,000 merges) take 16 MiB and 650,000 texts. */
const limits = { headerBytes: 64 * 1024 * 1024, texts: 1_000_000 };

async function inspect(task: InspectGgufTask): Promise<InspectedGguf> {
  try {
    if ("path" in task) return { card: languageCard(await openGgufHeader(task.path, limits)) };
    return { card: languageCard(await readGgufHeader(bytesSource(task.front), limits), task.weights) };
  } catch (error) {
    if (error instanceof GgufError) return { problem: error.message, details: { where: error.where } };
    if (error instanceof CardRefusal) return { problem: error.message, details: error.details };
    throw error;
  }
}

parentPort?.postMessage(await inspect(workerData as InspectGgufTask));
