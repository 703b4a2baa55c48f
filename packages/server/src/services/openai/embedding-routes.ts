/** @file `POST /v1/embeddings` and `POST /v1/rerank`: what language models answer without writing. */
import {
  type CreateEmbedding,
  type CreateRanking,
  createEmbedding,
  createRanking,
  type EmbeddingList,
  embeddingList,
  type PromptUsage,
  type Ranking,
  ranking,
} from "@gristmill/contract";
import type { TokenUsage } from "@gristmill/engine";
import { type Route, route } from "../../http/index.ts";
import type { AnsweredBy, Ranking as Ranked } from "../../serving/index.ts";
import { processingHeader } from "./answer-generation.ts";
import { badField, inWireWords, wireWords } from "./bad-field.ts";
import { tokenBound, tokenUse } from "./charge.ts";
import { promptsOf } from "./completion-request.ts";
import { answererOf, type LanguageModels } from "./language-models.ts";
import { promptBound } from "./prompt-bound.ts";
import { generationBodyLimit, languageRoute } from "./shared.ts";
import { shortened, toBase64 } from "./vectors.ts";

/** Both routes. */
export const embeddingRoutes = (models: LanguageModels): readonly Route[] => [
  embeddingRoute(models),
  rankingRoute(models),
];

function embeddingRoute(models: LanguageModels): Route {
  return route({
    ...languageRoute,
    method: "POST",
    path: "/v1/embeddings",
    summary: "Vectors of texts",
    body: createEmbedding,
    model: (_, __, { model }) => model,
    bodyLimit: generationBodyLimit,
    response: embeddingList,
    charge: {
      reserve: async ({ caller, body }) => {
        const { served, contextLength } = await answererOf(models, caller.projectId, body.model);
        const bounds = promptsOf(body.input).map((input) => readOnly(promptBound(input)));
        return tokenBound("embeddings", served, bounds, contextLength);
      },
    },
    handler: async ({ caller, body, signal, use }) => {
      const begunMs = performance.now();
      const answer = await models
        .embed(caller.projectId, body.model, promptsOf(body.input), { signal })
        .catch((failure: unknown) => {
          throw inWireWords(failure, wireWords("input"));
        });
      const length = answer.vectors[0]?.length ?? 0;
      if ((body.dimensions ?? 0) > length)
        throw badField("dimensions", `expected at most ${length}, as this model's vectors have`);
      for (const quantity of tokenUse("embeddings", answer.served, readUsage(answer))) use(quantity);
      return { headers: processingHeader(begunMs), body: embeddingsOf(body, answer.vectors, answer) };
    },
  });
}

const embeddingsOf = (
  { encoding_format, dimensions }: CreateEmbedding,
  vectors: readonly Float32Array[],
  by: AnsweredBy & { readonly promptTokens: number },
): EmbeddingList => ({
  object: "list",
  data: vectors.map((vector, index) => {
    const kept = shortened(vector, dimensions ?? undefined);
    return {
      object: "embedding",
      index,
      embedding: encoding_format === "base64" ? toBase64(kept) : Array.from(kept),
    };
  }),
  model: by.served.deployment,
  usage: promptUsageOf(by),
});

function rankingRoute(models: LanguageModels): Route {
  return route({
    ...languageRoute,
    method: "POST",
    path: "/v1/rerank",
    summary: "How well documents answer a query, best first",
    body: createRanking,
    model: (_, __, { model }) => model,
    bodyLimit: generationBodyLimit,
    response: ranking,
    charge: {
      reserve: async ({ caller, body }) => {
        const { served, contextLength } = await answererOf(models, caller.projectId, body.model);
        // Each document is read together with the query.
        const bounds = textsOf(body).map((text) => readOnly(promptBound(body.query) + promptBound(text)));
        return tokenBound("rerank", served, bounds, contextLength);
      },
    },
    handler: async ({ caller, body, requestId, signal, use }) => {
      const begunMs = performance.now();
      const { query } = body;
      const answer = await models
        .rerank(caller.projectId, body.model, { query, documents: textsOf(body) }, { signal })
        .catch((failure: unknown) => {
          throw inWireWords(failure, wireWords("documents"));
        });
      for (const quantity of tokenUse("rerank", answer.served, readUsage(answer))) use(quantity);
      return { headers: processingHeader(begunMs), body: rankingOf(body, answer, requestId) };
    },
  });
}

const textsOf = ({ documents }: CreateRanking): readonly string[] =>
  documents.map((document) => (typeof document === "string" ? document : document.text));

function rankingOf(body: CreateRanking, answer: Ranked, id: string): Ranking {
  const texts = textsOf(body);
  const results = answer.scores.map((relevance_score, index) => ({
    index,
    relevance_score,
    ...(body.return_documents === true ? { document: { text: texts[index] ?? "" } } : {}),
  }));
  return {
    id,
    object: "list",
    model: answer.served.deployment,
    // A stable sort: documents that are equally good keep their order.
    results: results.toSorted((a, b) => b.relevance_score - a.relevance_score).slice(0, body.top_n ?? results.length),
    usage: promptUsageOf(answer),
  };
}

const readOnly = (prompt: number) => ({ prompt, completion: 0, answers: 1 });

const readUsage = ({ promptTokens }: { readonly promptTokens: number }): TokenUsage => ({
  promptTokens,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
});

const promptUsageOf = ({ promptTokens }: { readonly promptTokens: number }): PromptUsage => ({
  prompt_tokens: promptTokens,
  total_tokens: promptTokens,
});
