/** @file Refusals of single fields that a schema alone can't find. */
import { AppError } from "@gristmill/contract";
import type { Problem } from "../../http/index.ts";

/** `request.invalid` that names the field as the pipeline's own check does. */
export function badField(field: string, problem: string, code?: string): AppError {
  const found: Problem = { in: "body", field, problem, ...(code === undefined ? {} : { code }) };
  return new AppError("request.invalid", `body.${field}: ${problem}.`, { details: { problems: [found] } });
}

/** What fields of our own requests are called in OpenAI's, by their beginnings; the first that fits counts. */
const wireNames: readonly (readonly [RegExp, string])[] = [
  [/^sampling\.topP/, "top_p"],
  [/^sampling\.topK/, "top_k"],
  [/^sampling\.minP/, "min_p"],
  [/^sampling\.frequencyPenalty/, "frequency_penalty"],
  [/^sampling\.presencePenalty/, "presence_penalty"],
  [/^sampling\.logitBias/, "logit_bias"],
  [/^sampling\./, ""],
  [/^constraint\.schema/, "response_format.json_schema.schema"],
  [/^constraint\.grammar/, "grammar"],
  [/^constraint/, "response_format"],
  [/^toolChoice/, "tool_choice"],
  [/^parallelToolCalls/, "parallel_tool_calls"],
  [/^templateVariables/, "chat_template_kwargs"],
  [/^maxTokens/, "max_tokens"],
  [/^tools(?:\[(\d+)\]|\.(\d+))\.(?=parameters|name|description|strict)/, "tools.$1$2.function."],
  [/^inputs/, "input"],
];

/** A field of ours in OpenAI's words: "sampling.topP" is "top_p", "messages[2].content" is "messages.2.content". */
export function wireName(field: string): string {
  const [pattern, name] = wireNames.find(([one]) => one.test(field)) ?? [];
  const named = pattern === undefined || name === undefined ? field : field.replace(pattern, name);
  return named.replace(/\[(\d+)\]/g, ".$1");
}

/** A refusal of the engine with its field in OpenAI's words; any other failure stays. @param prompt what the prompt is called. */
export function inWireWords(failure: unknown, prompt: string): unknown {
  if (!(failure instanceof AppError)) return failure;
  const { code, message, details } = failure;
  if (code === "engine.context_length_exceeded")
    return new AppError(code, message, { details: { ...details, param: prompt }, cause: failure });
  if (code !== "engine.request_invalid" || typeof details["param"] !== "string") return failure;
  const field = details["param"] === "prompt" ? prompt : wireName(details["param"]);
  return new AppError(code, message, { details: { ...details, param: field }, cause: failure });
}
