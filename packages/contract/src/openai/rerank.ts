/** @file Reranking in the shape that Jina and Cohere have in common. */
import { z } from "zod";
import { refused, required, supported } from "./field.ts";
import { promptUsage } from "./usage.ts";
import { integerIn, modelName, wellFormed } from "./values.ts";

const document = z.union([wellFormed, z.strictObject({ text: wellFormed })]);

/** Body of `POST /v1/rerank`. */
export const createRanking = z.strictObject({
  model: required(modelName, "a deployment's name, or `name@revision`"),
  query: required(wellFormed.min(1), "what the documents should answer"),
  documents: required(z.array(document).min(1).max(1000), "texts, or objects with a `text`"),
  top_n: supported(integerIn(1, 1000), "only so many of the best"),
  return_documents: supported(z.boolean(), "the documents' texts in the answer"),
  max_tokens_per_doc: refused("documents are never cut"),
  rank_fields: refused("documents are texts"),
});
export type CreateRanking = z.infer<typeof createRanking>;

/** Answer of `POST /v1/rerank`, best first. */
export const ranking = z.object({
  id: z.string(),
  object: z.literal("list"),
  model: z.string(),
  results: z.array(
    z.object({
      index: z.int(),
      /** From 0 to 1. */
      relevance_score: z.number(),
      document: z.object({ text: z.string() }).optional(),
    }),
  ),
  usage: promptUsage,
});
export type Ranking = z.infer<typeof ranking>;
