/**
 * @file Language models that say what they were told, word by word: what routes do can then be seen to the letter. A token is
 * a word. The real engine's flows are in openai-flows.test.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@gristmill/contract";
import type { GenerationEvent, Prompt, WrittenToken } from "@gristmill/engine";
import type { GenerateCall, Generation } from "../../../serving/index.ts";
import type { LanguageModels } from "../language-models.ts";

const by = {
  served: { deployment: "echo", model: "parrot", model_version: "3" },
  revision: 2,
  modelVersion: 3,
};
const contextLength = 64;

/** Models and what became of their slots. */
export interface EchoModels extends LanguageModels {
  /** Answers that were begun and have not ended. */
  underWay(): number;
}

/** @param options.delayMs between tokens; `dieAfter`: tokens after which the process dies. */
export function echoModels(options: { readonly delayMs?: number; readonly dieAfter?: number } = {}): EchoModels {
  let underWay = 0;
  async function* events(call: GenerateCall, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    underWay += 1;
    try {
      let written = 0;
      for (const event of answer(call)) {
        signal.throwIfAborted();
        yield event;
        if (event.type === "text" && ++written === options.dieAfter)
          throw new AppError("engine.replica_died", "The model's process ended.");
        if (options.delayMs !== undefined) await sleep(options.delayMs, undefined, { signal });
      }
    } finally {
      underWay -= 1;
    }
  }
  return {
    underWay: () => underWay,
    describe: async (_, name) => described(name),
    describeAll: async () => [described("echo"), { ...described("echo"), name: "digits", language: null }],
    generate: async (_, name, call, { signal }): Promise<Generation> => {
      described(name);
      const promptTokens = wordsOf(call).length;
      if (promptTokens + (call.request.maxTokens ?? 0) > contextLength)
        throw new AppError("engine.context_length_exceeded", `The context has ${contextLength} tokens.`);
      if (call.request.sampling.topK === 13)
        throw new AppError("engine.request_invalid", "not 13", { details: { param: "sampling.topK" } });
      return { ...by, events: events(call, signal) };
    },
    embed: async (_, name, inputs) => {
      described(name);
      return {
        ...by,
        vectors: inputs.map((input) => Float32Array.of(0.6, 0.8, 0, wordCount(input) / 8)),
        promptTokens: inputs.reduce((sum, input) => sum + wordCount(input), 0),
      };
    },
    rerank: async (_, name, { query, documents }) => {
      described(name);
      const scores = documents.map((document) => Number(document.includes(query)) * 0.5 + 0.25);
      return { ...by, scores, promptTokens: documents.length };
    },
    countTokens: async () => ({ ...by, tokens: 1 }),
  };
}

function described(name: string) {
  if (name !== "echo") throw new AppError("deployment.not_found", `There is no deployment "${name}".`);
  return { name, createdAt: new Date(5000), model: "parrot", modelVersion: 3, language: { contextLength } };
}

const wordCount = (prompt: Prompt): number =>
  typeof prompt === "string" ? prompt.split(/(?= )/).length : prompt.length;

function wordsOf(call: GenerateCall): readonly string[] {
  const last = call.kind === "chat" ? call.request.messages.at(-1)?.content : [];
  const said = call.kind === "chat" ? (last ?? []).map((part) => ("text" in part ? part.text : "")).join("") : "";
  const text = call.kind === "chat" ? said : String(call.request.prompt);
  return text.split(/(?= )/);
}

function answer(call: GenerateCall): readonly GenerationEvent[] {
  const { request } = call;
  const all = wordsOf(call);
  const words = all.slice(0, request.maxTokens ?? all.length);
  const asks = call.kind === "chat" && typeof call.request.toolChoice === "object" ? call.request.toolChoice.name : "";
  const pieces: GenerationEvent[] = words.map((text, index) => ({
    type: text.includes("hm") ? "reasoning" : "text",
    text,
    completionTokens: index + 1,
    ...(request.logprobs === undefined ? {} : { tokens: [token(text, request.logprobs)] }),
  }));
  const called: GenerationEvent[] = [
    { type: "toolCall", index: 0, id: "call_a", name: asks, completionTokens: 1 },
    { type: "toolArguments", index: 0, text: '{"city"', completionTokens: 2 },
    { type: "toolArguments", index: 0, text: ':"Rome"}', completionTokens: 3 },
  ];
  const completionTokens = asks === "" ? words.length : 3;
  return [
    { type: "started", promptTokens: all.length, cachedTokens: 1 },
    ...(asks === "" ? pieces : called),
    {
      type: "finished",
      reason: asks === "" ? (words.length < all.length ? "length" : "stop") : "toolCalls",
      usage: {
        promptTokens: all.length,
        cachedTokens: 1,
        completionTokens,
        reasoningTokens: asks === "" ? words.filter((word) => word.includes("hm")).length : 0,
      },
      timings: { queueMs: 0, promptMs: 0, completionMs: 0 },
    },
  ];
}

function token(text: string, top: number): WrittenToken {
  const one = { token: text.length, text, bytes: new TextEncoder().encode(text), logprob: -0.5 };
  return { ...one, top: Array.from({ length: top }, () => one) };
}
