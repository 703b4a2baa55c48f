/** @file `POST /v1/completions`. */
import { type CreateCompletion, completion, createCompletion } from "@gristmill/contract";
import type { CompletionRequest } from "@gristmill/engine";
import { type Route, route } from "../../http/index.ts";
import { answerGeneration, dataFrames } from "./answer-generation.ts";
import { wireWords } from "./bad-field.ts";
import { tokenBound } from "./charge.ts";
import { CompletionChunks, completionOf } from "./completion-answer.ts";
import { completionRequests } from "./completion-request.ts";
import { answererOf, type LanguageModels } from "./language-models.ts";
import { promptBound } from "./prompt-bound.ts";
import { generationBodyLimit, languageRoute, remembered } from "./shared.ts";

/** The route. */
export function completionRoute(models: LanguageModels): Route {
  const requestsOf = remembered<CreateCompletion, readonly CompletionRequest[]>(completionRequests);
  return route({
    ...languageRoute,
    method: "POST",
    path: "/v1/completions",
    summary: "Go on with a text",
    body: createCompletion,
    model: (_, __, { model }) => model,
    bodyLimit: generationBodyLimit,
    response: completion,
    charge: {
      reserve: async ({ caller, body }) => {
        const n = body.n ?? 1;
        const requests = requestsOf(body).filter((_, index) => index % n === 0);
        const { served, contextLength } = await answererOf(models, caller.projectId, body.model);
        const bounds = requests.map(({ prompt, maxTokens }) => ({
          prompt: promptBound(prompt),
          completion: maxTokens,
          answers: n,
        }));
        return tokenBound("completions", served, bounds, contextLength);
      },
    },
    handler: (context) => {
      const { body } = context;
      const withUsage = body.stream_options?.include_usage === true;
      return answerGeneration(models, context, {
        service: "completions",
        idPrefix: "cmpl-",
        model: body.model,
        calls: requestsOf(body).map((request) => ({ kind: "complete", request })),
        perPrompt: body.n ?? 1,
        words: wireWords("prompt"),
        isStream: body.stream === true,
        whole: async (head, generations) =>
          completionOf(head, await generations.whole(), generations.usage, typeof body.logprobs === "number"),
        frames: (head) => {
          const chunks = new CompletionChunks(head, withUsage);
          return dataFrames({
            chunk: ({ index, event }) => chunks.chunk(index, event),
            usage: (usage) => (withUsage ? chunks.usage(usage) : undefined),
          });
        },
      });
    },
  });
}
