/** @file How well documents answer a query: `POST rerank`, as Jina, Cohere, vLLM and llama.cpp have it. */
import { EngineRequestError } from "../errors.ts";
import type { RerankResult } from "../language/answer.ts";
import type { RerankRequest } from "../language/request.ts";
import { readJson } from "./calls/body.ts";
import type { Caller } from "./calls/caller.ts";
import { failureOfAnswer } from "./calls/failure.ts";
import { promptEstimate } from "./embeddings.ts";
import { asArray, asCount, asNumber, asObject, firstCount, type JsonObject } from "./json.ts";
import type { UpstreamSettings } from "./options.ts";

/** @throws as LanguageEngine's `rerank`. */
export function rerankAt(
  caller: Caller,
  { model, maxAnswerBytes }: UpstreamSettings,
  kind: "probability" | "logit",
  { query, documents }: RerankRequest,
  signal: AbortSignal,
): Promise<RerankResult> {
  if (documents.length === 0) throw new EngineRequestError("documents", "expected at least one, received none");
  const body = { model, query, documents };
  return caller.one(
    { target: { from: "base", path: "rerank" }, body },
    async (response, exchange) => {
      const answer = await readJson(response, exchange, maxAnswerBytes);
      const scores = readScores(answer, documents.length, kind);
      if (typeof scores === "string") throw exchange.fail((context) => failureOfAnswer(scores, context));
      return { scores, promptTokens: tokensOf(answer) ?? promptEstimate([query, ...documents]) };
    },
    signal,
  );
}

/** Scores in the order of the documents, from 0 to 1; a text: what was expected of the answer. */
function readScores(answer: JsonObject, count: number, kind: "probability" | "logit"): readonly number[] | string {
  const results = asArray(answer["results"]) ?? asArray(answer["data"]) ?? [];
  if (results.length !== count) return `${count} scores, received ${results.length}`;
  const scores: number[] = [];
  for (const value of results) {
    const result = asObject(value);
    const index = asCount(result?.["index"]);
    const raw = asNumber(result?.["relevance_score"]) ?? asNumber(result?.["score"]);
    if (index === undefined || raw === undefined || index >= count || scores[index] !== undefined)
      return "a score for each document once, received something else";
    const score = kind === "logit" ? 1 / (1 + Math.exp(-raw)) : raw;
    if (!(score >= 0 && score <= 1))
      return `scores from 0 to 1, received ${raw}; if they are logits, set rerankScores to "logit"`;
    scores[index] = score;
  }
  return scores;
}

/** Jina's and vLLM's `usage.total_tokens`, Cohere's `meta.tokens.input_tokens`. */
function tokensOf(answer: JsonObject): number | undefined {
  const cohere = asObject(asObject(answer["meta"])?.["tokens"]);
  return firstCount(asObject(answer["usage"]), "prompt_tokens", "total_tokens") ?? firstCount(cohere, "input_tokens");
}
