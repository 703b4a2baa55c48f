/** @file Pure: what a model wrote, as chat completions tell it: whole, or piece by piece. */
import type {
  ChatChunkChoice,
  ChatCompletion,
  ChatCompletionChoice,
  ChatCompletionChunk,
  ChatFinishReason,
  CompletionUsage,
} from "@gristmill/contract";
import type { FinishReason, GenerationEvent, TokenUsage } from "@gristmill/engine";
import { chatLogprobsOf } from "./logprobs.ts";
import type { Written } from "./written.ts";

/** What every piece of an answer says of it. */
export interface AnswerHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}

const reasons: Readonly<Record<FinishReason, ChatFinishReason>> = {
  stop: "stop",
  length: "length",
  toolCalls: "tool_calls",
  contentFilter: "content_filter",
};

/** Tokens in OpenAI's shape. */
export const usageOf = (usage: TokenUsage): CompletionUsage => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
});

/** A whole answer. @param withLogprobs they were asked for. */
export const chatCompletionOf = (
  head: AnswerHead,
  answers: readonly Written[],
  usage: TokenUsage,
  withLogprobs: boolean,
): ChatCompletion => ({
  ...head,
  object: "chat.completion",
  choices: answers.map((written, index) => choiceOf(written, index, withLogprobs)),
  usage: usageOf(usage),
});

const choiceOf = (written: Written, index: number, withLogprobs: boolean): ChatCompletionChoice => ({
  index,
  message: {
    role: "assistant",
    content: written.text === "" && written.calls.length > 0 ? null : written.text,
    refusal: null,
    ...(written.reasoning === "" ? {} : { reasoning_content: written.reasoning }),
    ...(written.calls.length === 0
      ? {}
      : {
          tool_calls: written.calls.map(({ id, name, arguments: json }) => ({
            id,
            type: "function" as const,
            function: { name, arguments: json },
          })),
        }),
  },
  logprobs: withLogprobs ? chatLogprobsOf(written.tokens) : null,
  finish_reason: reasons[written.reason],
});

type Delta = ChatChunkChoice["delta"];

/** What an event adds to a message. */
function deltaOf(event: GenerationEvent): Delta {
  switch (event.type) {
    case "started":
      return { role: "assistant", content: "" };
    case "text":
      return { content: event.text };
    case "reasoning":
      return { reasoning_content: event.text };
    case "toolCall":
      return {
        tool_calls: [
          { index: event.index, id: event.id, type: "function", function: { name: event.name, arguments: "" } },
        ],
      };
    case "toolArguments":
      return { tool_calls: [{ index: event.index, function: { arguments: event.text } }] };
    case "finished":
      return {};
  }
}

/** One event of answer `index` as a chunk. @param withUsage the last chunk will have it: this one says null. */
export const chatChunkOf = (
  head: AnswerHead,
  index: number,
  event: GenerationEvent,
  withUsage: boolean,
): ChatCompletionChunk => ({
  ...head,
  object: "chat.completion.chunk",
  choices: [
    {
      index,
      delta: deltaOf(event),
      logprobs: event.type === "text" && event.tokens !== undefined ? chatLogprobsOf(event.tokens) : null,
      finish_reason: event.type === "finished" ? reasons[event.reason] : null,
    },
  ],
  ...(withUsage ? { usage: null } : {}),
});

/** The chunk after the last: no choices, and what all cost. */
export const chatUsageChunk = (head: AnswerHead, usage: TokenUsage): ChatCompletionChunk => ({
  ...head,
  object: "chat.completion.chunk",
  choices: [],
  usage: usageOf(usage),
});
