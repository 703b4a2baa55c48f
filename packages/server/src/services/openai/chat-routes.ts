/** @file `POST /v1/chat/completions`. */
import { type CreateChatCompletion, chatCompletion, createChatCompletion } from "@gristmill/contract";
import type { ChatRequest } from "@gristmill/engine";
import { type Route, route } from "../../http/index.ts";
import { answerGeneration, dataFrames } from "./answer-generation.ts";
import { wireWords } from "./bad-field.ts";
import { tokenBound } from "./charge.ts";
import { chatChunkOf, chatCompletionOf, chatUsageChunk } from "./chat-answer.ts";
import { chatRequests } from "./chat-request.ts";
import { answererOf, type LanguageModels } from "./language-models.ts";
import { chatBound } from "./prompt-bound.ts";
import { generationBodyLimit, languageRoute, remembered } from "./shared.ts";

/** The route. */
export function chatRoute(models: LanguageModels): Route {
  // Reserving needs the request too: images are decoded once.
  const requestsOf = remembered<CreateChatCompletion, readonly ChatRequest[]>(chatRequests);
  return route({
    ...languageRoute,
    method: "POST",
    path: "/v1/chat/completions",
    summary: "Write the next message of a chat",
    body: createChatCompletion,
    model: (_, __, { model }) => model,
    bodyLimit: generationBodyLimit,
    response: chatCompletion,
    charge: {
      reserve: async ({ caller, body }) => {
        const requests = requestsOf(body);
        const [first] = requests;
        const { served, contextLength } = await answererOf(models, caller.projectId, body.model);
        const prompt = first === undefined ? 0 : chatBound(first);
        const bound = { prompt, completion: first?.maxTokens, answers: requests.length };
        return tokenBound("chat-completions", served, [bound], contextLength);
      },
    },
    handler: (context) => {
      const { body } = context;
      const requests = requestsOf(body);
      const withUsage = body.stream_options?.include_usage === true;
      return answerGeneration(models, context, {
        service: "chat-completions",
        idPrefix: "chatcmpl-",
        model: body.model,
        calls: requests.map((request) => ({ kind: "chat", request })),
        perPrompt: requests.length,
        words: wireWords("messages"),
        isStream: body.stream === true,
        whole: async (head, generations) =>
          chatCompletionOf(head, await generations.whole(), generations.usage, body.logprobs === true),
        frames: (head) =>
          dataFrames({
            chunk: ({ index, event }) => chatChunkOf(head, index, event, withUsage),
            usage: (usage) => (withUsage ? chatUsageChunk(head, usage) : undefined),
          }),
      });
    },
  });
}
