/** @file Refusals of single fields that a schema alone can't find. */
import { AppError } from "@gristmill/contract";
import type { Problem } from "../../http/index.ts";

/** `request.invalid` that names the field as the pipeline's own check does. */
export function badField(field: string, problem: string, code?: string): AppError {
  const found: Problem = { in: "body", field, problem, ...(code === undefined ? {} : { code }) };
  return new AppError("request.invalid", `body.${field}: ${problem}.`, { details: { problems: [found] } });
}

/** What a route's callers know the fields of our own requests as. */
export interface WireWords {
  /** The field that holds the prompt. */
  readonly prompt: string;
  name(field: string): string;
}

/** Fields of ours by their beginnings, and what they are called instead; the first that fits counts. */
export type WireNames = readonly (readonly [RegExp, string])[];

/** What all routes call alike. */
export const samplingNames: WireNames = [
  [/^sampling\.topP/, "top_p"],
  [/^sampling\.topK/, "top_k"],
  [/^sampling\.minP/, "min_p"],
  [/^sampling\.frequencyPenalty/, "frequency_penalty"],
  [/^sampling\.presencePenalty/, "presence_penalty"],
  [/^sampling\.logitBias/, "logit_bias"],
  [/^sampling\./, ""],
  [/^constraint\.grammar/, "grammar"],
  [/^toolChoice/, "tool_choice"],
  [/^parallelToolCalls/, "parallel_tool_calls"],
  [/^templateVariables/, "chat_template_kwargs"],
];

const names: WireNames = [
  ...samplingNames,
  [/^constraint\.schema/, "response_format.json_schema.schema"],
  [/^constraint/, "response_format"],
  [/^maxTokens/, "max_tokens"],
  [/^tools(?:\[(\d+)\]|\.(\d+))\.(?=parameters|name|description|strict)/, "tools.$1$2.function."],
  [/^inputs/, "input"],
];

/** Words of the routes that say things as chat completions do. @param prompt what the prompt is called. */
export const wireWords = (prompt: string): WireWords => ({ prompt, name: (field) => wireName(field, names) });

/** A field of ours in OpenAI's words: "sampling.topP" is "top_p", "messages[2].content" is "messages.2.content". */
export function wireName(field: string, known: WireNames): string {
  const [pattern, name] = known.find(([one]) => one.test(field)) ?? [];
  const named = pattern === undefined || name === undefined ? field : field.replace(pattern, name);
  return named.replace(/\[(\d+)\]/g, ".$1");
}

/** A refusal of the engine with its field in OpenAI's words; any other failure stays. */
export function inWireWords(failure: unknown, words: WireWords): unknown {
  if (!(failure instanceof AppError)) return failure;
  const { code, message, details } = failure;
  if (code === "engine.context_length_exceeded")
    return new AppError(code, message, { details: { ...details, param: words.prompt }, cause: failure });
  if (code !== "engine.request_invalid" || typeof details["param"] !== "string") return failure;
  const field = details["param"] === "prompt" ? words.prompt : words.name(details["param"]);
  return new AppError(code, message, { details: { ...details, param: field }, cause: failure });
}
