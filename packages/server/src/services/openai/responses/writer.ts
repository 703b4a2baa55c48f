/** @file Pure: what a model wrote as items of a response, and the events that tell of it while it grows. */
import type { ResponseItemStatus, ResponseOutputItem } from "@gristmill/contract";
import type { FinishReason, GenerationEvent, WrittenToken } from "@gristmill/engine";
import { chatLogprobsOf } from "../logprobs.ts";

/** An event of a stream, without its number. */
export interface ResponseEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** How a response ended. */
export type ResponseEnding =
  | { readonly status: "completed" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" };

const endings: Readonly<Record<FinishReason, ResponseEnding>> = {
  stop: { status: "completed" },
  toolCalls: { status: "completed" },
  length: { status: "incomplete", reason: "max_output_tokens" },
  contentFilter: { status: "incomplete", reason: "content_filter" },
};

type Item<T extends ResponseOutputItem["type"]> = Extract<ResponseOutputItem, { type: T }>;
type TextItem = Item<"message"> | Item<"reasoning">;

/** Puts events together, one after the other: a stream's reader and an unstreamed answer get the same items. */
export class ResponseWriter {
  readonly #suffix: string;
  readonly #items: ResponseOutputItem[] = [];
  /** Where calls stand among the items. They stay open to the end: an upstream may write several at once. */
  readonly #calls = new Map<number, number>();
  /** The text that is being written, or the last call. */
  #last: number | undefined;
  #ending: ResponseEnding | undefined;

  /** @param suffix of the response's id: it makes the ids of its items. */
  constructor(suffix: string) {
    this.#suffix = suffix;
  }

  get output(): readonly ResponseOutputItem[] {
    return this.#items;
  }

  /** undefined: it has not ended. */
  get ending(): ResponseEnding | undefined {
    return this.#ending;
  }

  add(event: GenerationEvent): readonly ResponseEvent[] {
    switch (event.type) {
      case "started":
        return [];
      case "text":
      case "reasoning":
        return event.text === "" && event.tokens === undefined ? [] : this.#write(event.type, event.text, event.tokens);
      case "toolCall":
        return this.#call(event.index, event.id, event.name);
      case "toolArguments":
        return this.#arguments(event.index, event.text);
      case "finished": {
        this.#ending = endings[event.reason];
        const opened = this.#items.length === 0 ? this.#open("text") : [];
        return [...opened, ...this.#closeAll(this.#ending.status)];
      }
    }
  }

  /** What was written by then is all. */
  cut(): void {
    this.#closeAll("incomplete");
  }

  #write(kind: "text" | "reasoning", text: string, tokens: readonly WrittenToken[] = []): readonly ResponseEvent[] {
    const opened = this.#isOpen(kind) ? [] : [...this.#closeText("completed"), ...this.#open(kind)];
    const { item, ...place } = this.#textItem();
    const logprobs = chatLogprobsOf(tokens).content ?? [];
    const [part] = item.content;
    if (part === undefined) throw new Error("an open item without a part");
    part.text += text;
    if (part.type === "reasoning_text")
      return [...opened, { type: "response.reasoning_text.delta", ...place, delta: text }];
    part.logprobs.push(...logprobs);
    return [...opened, { type: "response.output_text.delta", ...place, delta: text, logprobs }];
  }

  #isOpen(kind: "text" | "reasoning"): boolean {
    const item = this.#items[this.#last ?? -1];
    return item?.status === "in_progress" && item.type === (kind === "text" ? "message" : "reasoning");
  }

  #open(kind: "text" | "reasoning"): readonly ResponseEvent[] {
    const output_index = this.#items.length;
    const shared = { status: "in_progress" as const };
    const item: TextItem =
      kind === "text"
        ? { type: "message", id: this.#id("msg"), ...shared, role: "assistant", content: [] }
        : { type: "reasoning", id: this.#id("rs"), ...shared, summary: [], content: [] };
    const added = { type: "response.output_item.added", output_index, item: structuredClone(item) };
    if (item.type === "message") item.content.push({ type: "output_text", text: "", annotations: [], logprobs: [] });
    else item.content.push({ type: "reasoning_text", text: "" });
    this.#items.push(item);
    this.#last = output_index;
    const part = structuredClone(item.content[0]);
    return [added, { type: "response.content_part.added", item_id: item.id, output_index, content_index: 0, part }];
  }

  #call(index: number, callId: string, name: string): readonly ResponseEvent[] {
    const closed = this.#closeText("completed");
    const output_index = this.#items.length;
    const item: Item<"function_call"> = {
      type: "function_call",
      id: this.#id("fc"),
      status: "in_progress",
      call_id: callId,
      name,
      arguments: "",
    };
    this.#items.push(item);
    this.#calls.set(index, output_index);
    this.#last = output_index;
    return [...closed, { type: "response.output_item.added", output_index, item: { ...item } }];
  }

  #arguments(index: number, text: string): readonly ResponseEvent[] {
    const output_index = this.#calls.get(index) ?? -1;
    const item = this.#items[output_index];
    if (item?.type !== "function_call" || text === "") return [];
    item.arguments += text;
    return [{ type: "response.function_call_arguments.delta", item_id: item.id, output_index, delta: text }];
  }

  /** Ends the text that is being written, if one is. */
  #closeText(status: ResponseItemStatus): readonly ResponseEvent[] {
    const last = this.#items[this.#last ?? -1];
    if (last === undefined || last.type === "function_call" || last.status !== "in_progress") return [];
    last.status = status;
    const { item, output_index, ...place } = this.#textItem();
    const part = structuredClone(item.content[0]);
    if (part === undefined) throw new Error("an open item without a part");
    const where = { output_index, ...place };
    const done =
      part.type === "output_text"
        ? { type: "response.output_text.done", ...where, text: part.text, logprobs: part.logprobs }
        : { type: "response.reasoning_text.done", ...where, text: part.text };
    return [
      done,
      { type: "response.content_part.done", ...where, part },
      { type: "response.output_item.done", output_index, item: structuredClone(item) },
    ];
  }

  /** @param status of what was written last; all before it is whole. */
  #closeAll(status: ResponseItemStatus): readonly ResponseEvent[] {
    const closed = [...this.#closeText(status)];
    for (const [output_index, item] of this.#items.entries()) {
      if (item.type !== "function_call" || item.status !== "in_progress") continue;
      item.status = output_index === this.#last ? status : "completed";
      const { id: item_id, name, arguments: json } = item;
      closed.push(
        { type: "response.function_call_arguments.done", item_id, output_index, name, arguments: json },
        { type: "response.output_item.done", output_index, item: { ...item } },
      );
    }
    return closed;
  }

  #textItem(): { item: TextItem; item_id: string; output_index: number; content_index: number } {
    const output_index = this.#last ?? -1;
    const item = this.#items[output_index];
    if (item === undefined || item.type === "function_call") throw new Error("no text is being written");
    return { item, item_id: item.id, output_index, content_index: 0 };
  }

  #id(prefix: string): string {
    return `${prefix}_${this.#suffix}${this.#items.length}`;
  }
}
