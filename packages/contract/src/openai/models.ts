/** @file OpenAI's list of models: https://platform.openai.com/docs/api-reference/models. */
import { z } from "zod";

/** A deployment as OpenAI's clients list it. */
export const openaiModel = z.object({
  id: z.string(),
  object: z.literal("model"),
  /** Seconds since 1970. */
  created: z.int(),
  owned_by: z.string(),
});
export type OpenaiModel = z.infer<typeof openaiModel>;

/** Answer of `GET /v1/models`: all at once, as OpenAI has it. */
export const openaiModelList = z.object({ object: z.literal("list"), data: z.array(openaiModel) });
export type OpenaiModelList = z.infer<typeof openaiModelList>;
