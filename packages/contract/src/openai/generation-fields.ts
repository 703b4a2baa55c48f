/** @file Fields that chat completions and completions share. */
import { z } from "zod";
import { accepted, refused, supported } from "./field.ts";
import { integerIn, logitBias, numberIn, stopTexts, streamOptions, userName } from "./values.ts";

/** How tokens are chosen, how an answer ends, and how it is sent. */
export const generationFields = {
  temperature: supported(numberIn(0, 2), "0: always the likeliest token"),
  top_p: supported(z.number().gt(0).max(1), "only the likeliest tokens that together have this much probability"),
  frequency_penalty: supported(numberIn(-2, 2), "for each time that a token was written"),
  presence_penalty: supported(numberIn(-2, 2), "once for each token that was written"),
  logit_bias: supported(logitBias, "by token number of the model's own vocabulary"),
  seed: supported(
    z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
    "its low 32 bits; answer i of n has seed + i",
  ),
  stop: supported(stopTexts, "up to 4 texts; they are not part of the answer"),
  n: supported(integerIn(1, 16), "answers of their own, at most 16 (OpenAI: 128)"),
  stream: supported(z.boolean(), "server-sent events"),
  stream_options: supported(streamOptions, "`include_usage`; `include_obfuscation` is refused"),
  user: accepted(userName, "nothing is done with it"),
};

/** Fields of others that are widely sent, under the names that llama.cpp and vLLM gave them. */
export const extensionFields = {
  top_k: supported(integerIn(0, 1_000_000), "extension: only so many of the likeliest tokens; 0: all"),
  min_p: supported(numberIn(0, 1), "extension: only tokens at least this share as likely as the likeliest"),
  grammar: supported(z.string().min(1).max(200_000), "extension: llama.cpp's grammar notation"),
};

/** Tiers that mean what every request gets. */
export const serviceTier = accepted(z.enum(["auto", "default"]), "`auto` and `default` only: there is one tier");

/** What asks for content to be judged. */
export const moderation = refused("there is no moderation model");
