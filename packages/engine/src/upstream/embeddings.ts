/** @file Vectors of texts: `POST embeddings`. */
import { EngineRequestError } from "../errors.ts";
import type { EmbedResult } from "../language/answer.ts";
import type { Prompt } from "../language/request.ts";
import { readUsage } from "./answer/usage.ts";
import { readJson } from "./calls/body.ts";
import type { Caller } from "./calls/caller.ts";
import { failureOfAnswer } from "./calls/failure.ts";
import { asArray, asCount, asObject, type JsonObject } from "./json.ts";
import type { UpstreamSettings } from "./options.ts";

/** @throws as LanguageEngine's `embed`. */
export async function embedAt(
  caller: Caller,
  settings: UpstreamSettings,
  inputs: readonly Prompt[],
  signal: AbortSignal,
): Promise<EmbedResult> {
  if (inputs.length === 0) throw new EngineRequestError("inputs", "expected at least one, received none");
  // Texts and tokens can't stand in one list of this API.
  const kinds = [
    inputs.filter((input) => typeof input === "string"),
    inputs.filter((input) => typeof input !== "string"),
  ];
  const results = await Promise.all(
    kinds.map((kind) => (kind.length === 0 ? nothing : embedAlike(caller, settings, kind, signal))),
  );
  const [texts, tokens] = results.map(({ vectors }) => vectors.values());
  return {
    vectors: inputs.map((input) => (typeof input === "string" ? texts : tokens)?.next().value ?? new Float32Array(0)),
    promptTokens: results.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
  };
}

const nothing: EmbedResult = { vectors: [], promptTokens: 0 };

function embedAlike(
  caller: Caller,
  { model, embeddingFormat, maxAnswerBytes }: UpstreamSettings,
  input: readonly Prompt[],
  signal: AbortSignal,
): Promise<EmbedResult> {
  const body = { model, input, encoding_format: embeddingFormat };
  return caller.one(
    { target: { from: "base", path: "embeddings" }, body },
    async (response, exchange) => {
      const answer = await readJson(response, exchange, maxAnswerBytes);
      const vectors = readVectors(answer, input.length);
      if (typeof vectors === "string") throw exchange.fail((context) => failureOfAnswer(vectors, context));
      return { vectors, promptTokens: readUsage(answer["usage"], "inside")?.promptTokens ?? promptEstimate(input) };
    },
    signal,
  );
}

/** Vectors of length 1 in the order of the inputs; a text: what was expected of the answer. */
function readVectors(answer: JsonObject, count: number): readonly Float32Array[] | string {
  const data = asArray(answer["data"]) ?? [];
  if (data.length !== count) return `${count} embeddings, received ${data.length}`;
  const vectors: Float32Array[] = [];
  for (const [i, value] of data.entries()) {
    const item = asObject(value);
    const vector = readVector(item?.["embedding"]);
    const index = asCount(item?.["index"]) ?? i;
    if (vector === undefined) return `embedding ${i} to be finite numbers that are not all 0, received something else`;
    if (index >= count || vectors[index] !== undefined)
      return `each embedding once, received number ${index} twice or none such`;
    if (vector.length !== (vectors.find((other) => other !== undefined) ?? vector).length)
      return "embeddings of one length, received several";
    vectors[index] = vector;
  }
  return vectors;
}

/** Base64 of little-endian floats of 32 bits, or numbers; scaled to length 1. */
function readVector(value: unknown): Float32Array | undefined {
  const numbers = typeof value === "string" ? floatsOf(value) : asArray(value);
  if (numbers === undefined || numbers.length === 0) return undefined;
  let squares = 0;
  for (const number of numbers) squares += typeof number === "number" ? number * number : Number.NaN;
  const length = Math.sqrt(squares);
  if (!(length > 0 && Number.isFinite(length))) return undefined;
  return Float32Array.from(numbers as ArrayLike<number>, (number) => number / length);
}

function floatsOf(base64: string): readonly number[] | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length % 4 !== 0) return undefined;
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

/** Stands in for the count of a prompt that nobody tells: four bytes a token is what tokenizers come to for English. */
export function promptEstimate(prompts: readonly Prompt[]): number {
  let tokens = 0;
  for (const prompt of prompts)
    tokens += typeof prompt === "string" ? Math.ceil(Buffer.byteLength(prompt) / 4) : prompt.length;
  return tokens;
}
