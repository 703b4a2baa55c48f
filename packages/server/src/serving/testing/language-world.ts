/** @file Language models for tests of serving: deployed, asked and read. */
import { Readable } from "node:stream";
import { createDeployment, type Deployment, type GenerationSettings } from "@gristmill/contract";
import type { ChatRequest, CompletionRequest, GenerationEvent } from "@gristmill/engine";
import {
  plainTemplate,
  type SmallLanguageModel,
  smallLanguageModel,
} from "../../models/testing/small-language-model.ts";
import { type Running, untilStatus, type World } from "./world.ts";

/** The likeliest tokens, as many as `maxTokens`: the end token is never chosen. */
export const completion = (prompt: string, maxTokens: number): CompletionRequest => ({
  prompt,
  maxTokens,
  stop: [],
  sampling: { temperature: 0, logitBias: [[2, -100]] },
});

/** One message of a user. */
export const chat = (text: string, maxTokens: number): ChatRequest => ({
  messages: [{ role: "user", content: [{ type: "text", text }] }],
  tools: [],
  toolChoice: "auto",
  parallelToolCalls: true,
  maxTokens,
  stop: [],
  sampling: { temperature: 0, logitBias: [[2, -100]] },
});

/** Imports a small model under the deployment's name, deploys it with one thread, and waits until it answers. */
export async function deployLanguageModel(
  { projectId }: World,
  running: Running,
  name: string,
  settings: {
    readonly model?: SmallLanguageModel;
    readonly replicas?: number;
    readonly generation?: Partial<GenerationSettings>;
  } = {},
): Promise<Deployment> {
  const bytes = Buffer.from(await smallLanguageModel({ chatTemplate: plainTemplate, ...settings.model }));
  const signal = new AbortController().signal;
  await running.models.importFile(projectId, name, Readable.from([bytes]), { notes: null, signal });
  const { replicas = 1, generation = {} } = settings;
  await running.serving.create(
    projectId,
    createDeployment.parse({ name, model: name, threads: 1, replicas, generation }),
  );
  return await untilStatus(running, projectId, name, "ready");
}

/** Reads to the end. */
export async function read(events: AsyncIterable<GenerationEvent>): Promise<GenerationEvent[]> {
  const all: GenerationEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** The text of an answer. */
export const textOf = (events: readonly GenerationEvent[]): string =>
  events.map((event) => (event.type === "text" ? event.text : "")).join("");
