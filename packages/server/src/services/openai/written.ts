/** @file Pure: events of a generation put together, and what they cost. */
import type { FinishReason, GenerationEvent, TokenUsage, WrittenToken } from "@gristmill/engine";

/** A whole answer. */
export interface Written {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** Of the text, where they were asked for. */
  readonly tokens: readonly WrittenToken[];
  readonly reason: FinishReason;
}

/** Puts events together, one after the other. */
export class Writing {
  readonly #text: string[] = [];
  readonly #reasoning: string[] = [];
  readonly #calls: { id: string; name: string; arguments: string }[] = [];
  readonly #tokens: WrittenToken[] = [];
  #reason: FinishReason = "stop";

  add(event: GenerationEvent): void {
    switch (event.type) {
      case "started":
        return;
      case "text":
        this.#text.push(event.text);
        // One by one: a spread of a long answer would be arguments of a call.
        for (const token of event.tokens ?? []) this.#tokens.push(token);
        return;
      case "reasoning":
        this.#reasoning.push(event.text);
        return;
      case "toolCall":
        this.#calls[event.index] = { id: event.id, name: event.name, arguments: "" };
        return;
      case "toolArguments": {
        const call = this.#calls[event.index];
        if (call !== undefined) call.arguments += event.text;
        return;
      }
      case "finished":
        this.#reason = event.reason;
    }
  }

  get written(): Written {
    return {
      text: this.#text.join(""),
      reasoning: this.#reasoning.join(""),
      calls: this.#calls,
      tokens: this.#tokens,
      reason: this.#reason,
    };
  }
}

/** Counts tokens while events pass, so that an answer that is cut is paid for as far as it went. */
export class TokenCounter {
  #usage: TokenUsage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  #hasStarted = false;
  #hasFinished = false;

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  get hasFinished(): boolean {
    return this.#hasFinished;
  }

  get usage(): TokenUsage {
    return this.#usage;
  }

  add(event: GenerationEvent): void {
    if (event.type === "started") {
      const { promptTokens, cachedTokens } = event;
      this.#hasStarted = true;
      this.#usage = { ...this.#usage, promptTokens, cachedTokens };
    } else if (event.type === "finished") {
      this.#hasFinished = true;
      this.#usage = event.usage;
    } else {
      const { completionTokens, reasoningTokens } = this.#usage;
      const added = event.type === "reasoning" ? event.completionTokens - completionTokens : 0;
      this.#usage = {
        ...this.#usage,
        completionTokens: event.completionTokens,
        reasoningTokens: reasoningTokens + added,
      };
    }
  }
}

/**
 * Tokens of a request with several answers. A prompt counts once, as OpenAI has it, however many answers it gets.
 * @param perPrompt answers of each prompt, side by side.
 */
export function sumUsage(counters: readonly TokenCounter[], perPrompt: number): TokenUsage {
  let sum: TokenUsage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  for (let from = 0; from < counters.length; from += perPrompt) {
    const group = counters.slice(from, from + perPrompt);
    const first = group.find(({ hasStarted }) => hasStarted)?.usage;
    sum = {
      promptTokens: sum.promptTokens + (first?.promptTokens ?? 0),
      cachedTokens: sum.cachedTokens + (first?.cachedTokens ?? 0),
      completionTokens: sum.completionTokens + total(group, "completionTokens"),
      reasoningTokens: sum.reasoningTokens + total(group, "reasoningTokens"),
    };
  }
  return sum;
}

const total = (counters: readonly TokenCounter[], field: "completionTokens" | "reasoningTokens"): number =>
  counters.reduce((sum, { usage }) => sum + usage[field], 0);
