/** @file An upstream engine before a replay server, with requests to make of it. */
import type { GenerationEvent } from "../../language/answer.ts";
import type { ChatRequest, CompletionRequest } from "../../language/request.ts";
import type { UpstreamOptions } from "../options.ts";
import { connectUpstream, type UpstreamEngine } from "../upstream-engine.ts";
import { json, type ReplayServer } from "./replay-server.ts";

/** Where chats are asked for. */
export const chatPath = "/v1/chat/completions";

/** Nothing but defaults. */
export const baseSettings = { sampling: {}, stop: [] } as const;

/** A chat of three tokens, by the estimate. */
export const hello: ChatRequest = {
  ...baseSettings,
  messages: [{ role: "user", content: [{ type: "text", text: "Hello there" }] }],
  tools: [],
  toolChoice: "auto",
  parallelToolCalls: true,
};

/** A text to go on with. */
export const once: CompletionRequest = { ...baseSettings, prompt: "Once upon" };

/** Never aborted. */
export const calm = { signal: new AbortController().signal };

/** An engine before the server, which lists a model "m" with a context of 4096; retries wait 1 ms. */
export function connect(server: ReplayServer, more: Partial<UpstreamOptions> = {}): Promise<UpstreamEngine> {
  server.on("/v1/models", json({ data: [{ id: "m", max_model_len: 4096 }] }));
  const retry = { retries: 2, firstDelayMs: 1, ...more.retry };
  return connectUpstream({ name: "test", baseUrl: server.url, model: "m", fetch, ...more, retry });
}

/** Every event. @throws as the engine does. */
export async function all(events: AsyncIterable<GenerationEvent>): Promise<GenerationEvent[]> {
  const found: GenerationEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

/** Text of one kind, put together. */
export const textOf = (events: readonly GenerationEvent[], type: "text" | "reasoning" = "text"): string =>
  events.map((event) => (event.type === type ? event.text : "")).join("");

/** The last event. @throws when it is not `finished`. */
export function finished(events: readonly GenerationEvent[]): Extract<GenerationEvent, { type: "finished" }> {
  const last = events.at(-1);
  if (last?.type !== "finished") throw new Error(`expected finished last, received ${last?.type}`);
  return last;
}
