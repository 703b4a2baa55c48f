/** @file What a request asks of the generation is looked at before anything runs; errors name the field. */
import { EngineRequestError } from "../errors.ts";
import type { GenerationSettings, Prompt, Sampling } from "./request.ts";

type NumberField = Exclude<keyof Sampling, "logitBias">;

const ranges: Readonly<Record<NumberField, readonly [least: number, most: number, kind: "number" | "whole number"]>> = {
  temperature: [0, 2, "number"],
  topP: [0, 1, "number"],
  topK: [0, 2 ** 31 - 1, "whole number"],
  minP: [0, 1, "number"],
  frequencyPenalty: [-2, 2, "number"],
  presencePenalty: [-2, 2, "number"],
  seed: [-(2 ** 31), 2 ** 32 - 1, "whole number"],
};
/** More cost more to look for than anyone needs; OpenAI takes 4, llama.cpp any number. */
const mostStops = 64;
const mostLogprobs = 20;

/** @throws EngineRequestError that names the field. */
export function checkSettings(settings: GenerationSettings, vocabularySize: number): void {
  const { sampling, maxTokens, stop, logprobs } = settings;
  for (const [field, range] of Object.entries(ranges))
    expectNumber(`sampling.${field}`, sampling[field as NumberField], ...range);
  if (sampling.topP === 0) throw new EngineRequestError("sampling.topP", "expected a number above 0, received 0");
  for (const [i, [token, bias]] of (sampling.logitBias ?? []).entries()) {
    expectToken(`sampling.logitBias[${i}]`, token, vocabularySize);
    expectNumber(`sampling.logitBias[${i}]`, bias, -100, 100, "number");
  }
  expectNumber("maxTokens", maxTokens, 0, Number.MAX_SAFE_INTEGER, "whole number");
  expectNumber("logprobs", logprobs, 0, mostLogprobs, "whole number");
  if (stop.length > mostStops)
    throw new EngineRequestError("stop", `expected at most ${mostStops} texts, received ${stop.length}`);
  for (const [i, text] of stop.entries())
    if (text === "") throw new EngineRequestError(`stop[${i}]`, "expected a text, received an empty one");
}

/** @throws EngineRequestError for tokens that are none of the vocabulary, and text that is not Unicode. */
export function checkPrompt(field: string, prompt: Prompt, vocabularySize: number): void {
  if (typeof prompt === "string") expectText(field, prompt);
  else for (const [i, token] of prompt.entries()) expectToken(`${field}[${i}]`, token, vocabularySize);
}

/** @throws EngineRequestError for a text with half a character in it. */
export function expectText(field: string, text: string): void {
  if (text.isWellFormed()) return;
  const at = [...text].findIndex((character) => !character.isWellFormed());
  throw new EngineRequestError(field, `expected Unicode text, received a lone surrogate as character ${at}`);
}

function expectToken(field: string, token: number, vocabularySize: number): void {
  if (!(Number.isInteger(token) && token >= 0 && token < vocabularySize))
    throw new EngineRequestError(field, `expected a token, 0 to ${vocabularySize - 1}, received ${token}`);
}

function expectNumber(
  field: string,
  value: number | undefined,
  least: number,
  most: number,
  kind: "number" | "whole number",
): void {
  if (value === undefined) return;
  const isKind = kind === "number" ? Number.isFinite(value) : Number.isSafeInteger(value);
  if (!(isKind && value >= least && value <= most))
    throw new EngineRequestError(field, `expected a ${kind} from ${least} to ${most}, received ${value}`);
}
