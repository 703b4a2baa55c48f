/** @file Pure: probabilities of tokens in OpenAI's two shapes. */
import type { ChatLogprobs, ChatTokenLogprob, CompletionLogprobs } from "@gristmill/contract";
import type { TokenProbability, WrittenToken } from "@gristmill/engine";

/** What OpenAI tells of a token that can't be: JSON has no infinity. */
const impossible = -9999;

const finite = (logprob: number): number => Math.max(logprob, impossible);

const one = ({ text, bytes, logprob }: TokenProbability): Omit<ChatTokenLogprob, "top_logprobs"> => ({
  token: text,
  logprob: finite(logprob),
  bytes: Array.from(bytes),
});

/** The shape of chat completions. */
export const chatLogprobsOf = (tokens: readonly WrittenToken[]): ChatLogprobs => ({
  content: tokens.map((token) => ({ ...one(token), top_logprobs: token.top.map(one) })),
  refusal: null,
});

/** The shape of completions. @param offset where in the answer's text the first token begins. */
export function completionLogprobsOf(tokens: readonly WrittenToken[], offset: number): CompletionLogprobs {
  let at = offset;
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => finite(logprob)),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ text, logprob }) => [text, finite(logprob)]))),
    text_offset: tokens.map(({ text }) => {
      const from = at;
      at += text.length;
      return from;
    }),
  };
}
