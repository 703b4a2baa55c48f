/** @file Probabilities of tokens out of the two forms that OpenAI's API has for them: pure. */
import type { TokenProbability, WrittenToken } from "../../language/answer.ts";
import { asArray, asCount, asNumber, asObject, type JsonObject } from "../json.ts";

/** A token whose number the upstream does not tell, as OpenAI itself does not. */
export const unknownToken = -1;

/** What servers write where a probability is 0: JSON has no infinity. */
const least = -9999;

/** Reads `choices[].logprobs`: of chats `{content: [{token, logprob, bytes, top_logprobs}]}`, of completions lists side by side. */
export function readWrittenTokens(value: unknown): readonly WrittenToken[] | undefined {
  const logprobs = asObject(value);
  if (logprobs === undefined) return undefined;
  const content = asArray(logprobs["content"]) ?? asArray(logprobs["refusal"]);
  if (content !== undefined) return content.map(toWritten);
  const texts = asArray(logprobs["tokens"]);
  return texts?.map((text, i) => listedToken(logprobs, text, i));
}

function toWritten(value: unknown): WrittenToken {
  const token = asObject(value) ?? {};
  return {
    ...toProbability(token),
    top: (asArray(token["top_logprobs"]) ?? []).map((top) => toProbability(asObject(top) ?? {})),
  };
}

function toProbability(token: JsonObject): TokenProbability {
  const text = typeof token["token"] === "string" ? token["token"] : "";
  const bytes = asArray(token["bytes"])?.map((byte) => asCount(byte) ?? 0);
  return {
    // llama.cpp's server tells it.
    token: asCount(token["id"]) ?? unknownToken,
    text,
    bytes: bytes === undefined ? Buffer.from(text) : Uint8Array.from(bytes),
    logprob: asNumber(token["logprob"]) ?? least,
  };
}

function listedToken(logprobs: JsonObject, text: unknown, at: number): WrittenToken {
  const top = Object.entries(asObject(asArray(logprobs["top_logprobs"])?.[at]) ?? {})
    .map(([token, logprob]) => toProbability({ token, logprob }))
    .sort((a, b) => b.logprob - a.logprob);
  return { ...toProbability({ token: text, logprob: asArray(logprobs["token_logprobs"])?.[at] }), top };
}
