/** @file Pure: a body of completions as requests of ours. */
import type { CreateCompletion } from "@gristmill/contract";
import type { CompletionRequest, Constraint, Prompt } from "@gristmill/engine";
import { badField } from "./bad-field.ts";
import { samplingOf, stopOf } from "./generation-settings.ts";

/** What OpenAI writes when nothing is said: `max_tokens` of this route. */
const defaultMaxTokens = 16;
/** Answers of one request: prompts times n. */
const maxAnswers = 128;

/** One text or token list, or some of them, as a list. */
export function promptsOf(
  prompt: string | readonly string[] | readonly number[] | readonly number[][],
): readonly Prompt[] {
  if (typeof prompt === "string") return [prompt];
  return isTokens(prompt) ? [prompt] : (prompt as readonly Prompt[]);
}

const isTokens = (prompt: readonly unknown[]): prompt is readonly number[] => typeof prompt[0] === "number";

/** Requests in the order of the answers: n of the first prompt, then n of the second. */
export function completionRequests(body: CreateCompletion): readonly CompletionRequest[] {
  const prompts = promptsOf(body.prompt);
  const n = body.n ?? 1;
  if (prompts.length * n > maxAnswers)
    throw badField("n", `expected at most ${maxAnswers} answers, received ${prompts.length} prompts times ${n}`);
  const constraint = constraintOf(body);
  return prompts.flatMap((prompt) =>
    Array.from({ length: n }, (_, answer) => ({
      prompt,
      sampling: samplingOf(body, answer),
      maxTokens: body.max_tokens ?? defaultMaxTokens,
      stop: stopOf(body),
      ...(typeof body.logprobs === "number" ? { logprobs: body.logprobs } : {}),
      ...(constraint === undefined ? {} : { constraint }),
    })),
  );
}

function constraintOf({ grammar, json_schema }: CreateCompletion): Constraint | undefined {
  if (typeof grammar === "string") {
    if (json_schema) throw badField("grammar", "expected it alone, or `json_schema` alone");
    return { type: "grammar", grammar };
  }
  return json_schema ? { type: "schema", schema: json_schema } : undefined;
}
