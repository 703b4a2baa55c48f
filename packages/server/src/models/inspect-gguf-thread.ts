/** @file The thread that reads the front of one GGUF file. Few modules, so that it starts fast. */
import { parentPort, workerData } from "node:worker_threads";
import type { LanguageModel } from "@gristmill/contract";
import { GgufError, openGgufHeader } from "@gristmill/gguf";
import { CardRefusal, languageCard } from "./language-card.ts";

/** What the thread is to do. */
export interface InspectGgufTask {
  readonly path: string;
}

/** What comes of it; anything else ends the thread with its error. */
export type InspectedGguf =
  | { readonly card: LanguageModel }
  | { readonly problem: string; readonly details: Readonly<Record<string, unknown>> };

/** The largest vocabularies of today (260,000 tokens, or 200,000 with 450,000 merges) take 16 MiB and 650,000 texts. */
const limits = { headerBytes: 64 * 1024 * 1024, texts: 1_000_000 };

async function inspect({ path }: InspectGgufTask): Promise<InspectedGguf> {
  try {
    return { card: languageCard(await openGgufHeader(path, limits)) };
  } catch (error) {
    if (error instanceof GgufError) return { problem: error.message, details: { where: error.where } };
    if (error instanceof CardRefusal) return { problem: error.message, details: error.details };
    throw error;
  }
}

parentPort?.postMessage(await inspect(workerData as InspectGgufTask));
