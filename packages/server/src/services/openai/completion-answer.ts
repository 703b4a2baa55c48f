/** @file Pure: what a model wrote, as completions tell it: whole, or piece by piece. Both have one shape. */
import type { Completion, CompletionChoice } from "@gristmill/contract";
import type { GenerationEvent, TokenUsage } from "@gristmill/engine";
import { type AnswerHead, usageOf } from "./chat-answer.ts";
import { completionLogprobsOf } from "./logprobs.ts";
import type { Written } from "./written.ts";

/** A completion knows no tools: a call would be text. */
const reasons = { stop: "stop", length: "length", toolCalls: "stop", contentFilter: "content_filter" } as const;

/** A whole answer. @param withLogprobs they were asked for. */
export const completionOf = (
  head: AnswerHead,
  answers: readonly Written[],
  usage: TokenUsage,
  withLogprobs: boolean,
): Completion => ({
  ...head,
  object: "text_completion",
  choices: answers.map((written, index) => ({
    text: written.text,
    index,
    logprobs: withLogprobs ? completionLogprobsOf(written.tokens, 0) : null,
    finish_reason: reasons[written.reason],
  })),
  usage: usageOf(usage),
});

/** Makes the chunks of one stream; it knows how long each answer's text is so far. */
export class CompletionChunks {
  readonly #head: AnswerHead;
  readonly #withUsage: boolean;
  readonly #offsets = new Map<number, number>();

  constructor(head: AnswerHead, withUsage: boolean) {
    this.#head = head;
    this.#withUsage = withUsage;
  }

  /** undefined: the event says nothing that a completion tells. */
  chunk(index: number, event: GenerationEvent): Completion | undefined {
    if (event.type === "text") {
      const logprobs = event.tokens === undefined ? null : completionLogprobsOf(event.tokens, this.#offset(index));
      this.#offsets.set(
        index,
        this.#offset(index) + (event.tokens ?? []).reduce((sum, { text }) => sum + text.length, 0),
      );
      return this.#of([{ text: event.text, index, logprobs, finish_reason: null }], null);
    }
    if (event.type !== "finished") return undefined;
    return this.#of([{ text: "", index, logprobs: null, finish_reason: reasons[event.reason] }], null);
  }

  /** The chunk after the last. */
  usage(usage: TokenUsage): Completion {
    return this.#of([], usage);
  }

  #offset(index: number): number {
    return this.#offsets.get(index) ?? 0;
  }

  #of(choices: CompletionChoice[], usage: TokenUsage | null): Completion {
    return {
      ...this.#head,
      object: "text_completion",
      choices,
      ...(this.#withUsage ? { usage: usage === null ? null : usageOf(usage) } : {}),
    };
  }
}
