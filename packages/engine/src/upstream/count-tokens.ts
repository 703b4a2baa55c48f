/** @file Tokens of a prompt, told by servers that have a way to. A guess by its bytes would be no count, so others refuse. */
import { EngineRequestError } from "../errors.ts";
import type { ChatRequest, Prompt } from "../language/request.ts";
import { readJson } from "./calls/body.ts";
import type { Caller, UpstreamCall } from "./calls/caller.ts";
import { failureOfAnswer } from "./calls/failure.ts";
import { asArray, firstCount, type JsonObject } from "./json.ts";
import { toChatPrompt, type Wording } from "./request.ts";

type Counted = ChatRequest | { readonly prompt: Prompt };

/** @throws as LanguageEngine's `countTokens`. */
export async function countTokensAt(
  caller: Caller,
  wording: Wording,
  request: Counted,
  options: { readonly signal: AbortSignal; readonly maxAnswerBytes: number },
): Promise<number> {
  if (!("messages" in request) && typeof request.prompt !== "string") return request.prompt.length;
  const { tokenCount } = wording.dialect;
  if (tokenCount === undefined)
    throw new EngineRequestError("request", "the server behind this model does not count tokens without answering");
  return caller.one(
    calls[tokenCount](request, wording),
    async (response, exchange) => {
      const answer = await readJson(response, exchange, options.maxAnswerBytes);
      const count = countIn(answer);
      if (count === undefined)
        throw exchange.fail((context) => failureOfAnswer("a count of tokens, received none", context));
      return count;
    },
    options.signal,
  );
}

const calls: Readonly<Record<"vllm" | "llama-server", (request: Counted, wording: Wording) => UpstreamCall>> = {
  vllm: (request, wording) => ({
    target: { from: "server", path: "tokenize" },
    body:
      "messages" in request
        ? { ...toChatPrompt(request, wording), add_generation_prompt: true }
        : { model: wording.settings.model, prompt: request.prompt },
  }),
  "llama-server": (request, wording) =>
    "messages" in request
      ? { target: { from: "base", path: "chat/completions/input_tokens" }, body: toChatPrompt(request, wording) }
      : { target: { from: "server", path: "tokenize" }, body: { content: request.prompt, add_special: true } },
};

const countIn = (answer: JsonObject): number | undefined =>
  firstCount(answer, "count", "input_tokens") ?? asArray(answer["tokens"])?.length;
