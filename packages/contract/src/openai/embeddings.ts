/** @file OpenAI's embeddings: https://platform.openai.com/docs/api-reference/embeddings. */
import { z } from "zod";
import { accepted, required, supported } from "./field.ts";
import { promptUsage } from "./usage.ts";
import { integerIn, modelName, tokenList, userName, wellFormed } from "./values.ts";

const text = wellFormed.min(1, "expected a text that is not empty");

/** Body of `POST /v1/embeddings`. */
export const createEmbedding = z.strictObject({
  model: required(modelName, "a deployment's name, or `name@revision`"),
  input: required(
    z.union([text, z.array(text).min(1).max(2048), tokenList, z.array(tokenList).min(1).max(2048)]),
    "text, token numbers, or up to 2048 of either",
  ),
  encoding_format: supported(z.enum(["float", "base64"]), "base64: 32-bit floats, little-endian"),
  dimensions: supported(
    integerIn(1, 1_000_000),
    "the first numbers, of length 1 again: of use with models that were trained for it",
  ),
  user: accepted(userName, "nothing is done with it"),
});
export type CreateEmbedding = z.infer<typeof createEmbedding>;

/** Answer of `POST /v1/embeddings`. */
export const embeddingList = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      object: z.literal("embedding"),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: promptUsage,
});
export type EmbeddingList = z.infer<typeof embeddingList>;
