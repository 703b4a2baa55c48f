/**
 * @file Reads an answer piece by piece: thinking, text and tool calls. It holds back what may still become a mark, and white
 * space before it, so that however the answer is cut, the events put together are the same. What begins like a call and is
 * none, or calls what isn't there, is given back as text.
 */
import type { FinishReason, GenerationEvent } from "../language/answer.ts";
import { type CallHead, readNamedHead, readObjectHead, ValueScanner } from "./call-head.ts";
import type { ChatReader, ReadEnd, WrittenPiece } from "./chat-reader.ts";
import { PieceTokens } from "./piece-tokens.ts";
import type { ToolFormat } from "./tool-formats.ts";

/** What a reader must know. */
export interface AnswerReaderOptions {
  /** Marks of thinking, and whether the prompt has the first already; undefined: the model doesn't think aloud. */
  readonly thinking?: { readonly open: string; readonly close: string; readonly isOpen: boolean } | undefined;
  /** How calls are written, and of what; undefined: none are read. */
  readonly calls?: { readonly format: ToolFormat; readonly names: ReadonlySet<string> } | undefined;
  /** Special tokens: no text, save those that the format is made of. */
  readonly special: ReadonlySet<string>;
  readonly newCallId: () => string;
}

type State = "start" | "thinking" | "text" | "head" | "arguments" | "rest" | "between";

/** The one implementation. */
export class AnswerReader implements ChatReader {
  readonly #options: AnswerReaderOptions;
  readonly #marks: readonly string[];
  readonly #tokens = new PieceTokens();
  #events: GenerationEvent[] = [];
  #state: State = "start";
  /** Text that isn't told yet. */
  #buffer = "";
  #completionTokens = 0;
  #reasoningTokens = 0;
  #reasoningFrom = 0;
  #mayThink: boolean;
  /** Nothing but white space was thought or, after thinking, said. */
  #isBlank = false;
  /** Of the buffer, what begins the call whose head is read. */
  #headAt = 0;
  #calls = 0;
  #scanner = new ValueScanner();

  constructor(options: AnswerReaderOptions) {
    this.#options = options;
    const { thinking, calls } = options;
    this.#marks = [thinking?.open ?? "", thinking?.close ?? "", ...(calls?.format.marks ?? [])];
    this.#mayThink = thinking !== undefined;
    if (thinking?.isOpen === true) this.#think();
  }

  push(piece: WrittenPiece): GenerationEvent[] {
    this.#completionTokens = piece.completionTokens;
    const isMeaningless = this.#options.special.has(piece.text) && !this.#marks.includes(piece.text);
    const text = isMeaningless ? "" : piece.text;
    this.#tokens.add(text.length, isMeaningless ? undefined : piece.tokens);
    this.#buffer += text;
    return this.#read(false);
  }

  end(reason: FinishReason): ReadEnd {
    const events = this.#read(true);
    if (this.#state === "thinking") this.#reasoningTokens += this.#completionTokens - this.#reasoningFrom;
    return {
      events,
      reason: reason === "stop" && this.#calls > 0 ? "toolCalls" : reason,
      reasoningTokens: this.#reasoningTokens,
    };
  }

  #read(isLast: boolean): GenerationEvent[] {
    this.#events = [];
    while (this.#step(isLast)) {
      // Each step takes something of the buffer or goes to another state.
    }
    return this.#events;
  }

  /** Whether there may be more to do. */
  #step(isLast: boolean): boolean {
    switch (this.#state) {
      case "start":
        return this.#start(isLast);
      case "thinking":
        return this.#thought(isLast);
      case "text":
        return this.#text(isLast);
      case "head":
        return this.#head(isLast);
      case "arguments":
        return this.#arguments();
      case "rest":
        return this.#rest(isLast);
      case "between":
        return this.#between(isLast);
    }
  }

  #think(): void {
    this.#state = "thinking";
    this.#mayThink = false;
    this.#isBlank = true;
    this.#reasoningFrom = this.#completionTokens;
  }

  #start(isLast: boolean): boolean {
    const { thinking, calls } = this.#options;
    const said = this.#buffer.trimStart();
    const space = this.#buffer.length - said.length;
    const open = this.#mayThink && thinking !== undefined ? thinking.open : undefined;
    if (open !== undefined && said.startsWith(open)) {
      this.#take(space + open.length);
      this.#think();
      return true;
    }
    const isBare = calls?.format.bare === true;
    const mayOpen = open?.startsWith(said) === true;
    if (!isLast && (mayOpen || (said === "" && (isBare || this.#isBlank)))) return false;
    if (isBare && said.startsWith("{")) {
      this.#headAt = space;
      this.#state = "head";
      return true;
    }
    if (this.#isBlank) this.#take(space); // The lines between thinking and answer.
    this.#state = "text";
    return true;
  }

  #thought(isLast: boolean): boolean {
    const close = this.#options.thinking?.close ?? "";
    if (this.#isBlank) {
      const space = this.#buffer.length - this.#buffer.trimStart().length;
      this.#take(space);
    }
    const at = this.#buffer.indexOf(close);
    const until =
      at >= 0 ? this.#buffer.slice(0, at).trimEnd().length : this.#sure(this.#buffer, [close], isLast, true);
    if (until > 0) this.#isBlank = false;
    this.#tell("reasoning", until);
    if (at < 0) return false;
    this.#take(this.#buffer.indexOf(close) + close.length);
    this.#reasoningTokens += this.#completionTokens - this.#reasoningFrom;
    this.#isBlank = true;
    this.#state = "start";
    return true;
  }

  #text(isLast: boolean): boolean {
    const begins = this.#options.calls?.format.begins ?? [];
    const found = firstOf(begins, this.#buffer);
    if (found === undefined) {
      this.#tell("text", this.#sure(this.#buffer, begins, isLast, begins.length > 0));
      return false;
    }
    const said = this.#buffer.slice(0, found.at).trimEnd().length;
    this.#tell("text", said);
    this.#headAt = found.at - said + found.text.length;
    this.#state = "head";
    return true;
  }

  #head(isLast: boolean): boolean {
    const { calls } = this.#options;
    if (calls === undefined) return false;
    const { format, names } = calls;
    const text = this.#buffer.slice(this.#headAt);
    const isTool = (name: string) => names.has(name);
    const head: CallHead =
      format.head === "object" ? readObjectHead(text, format.list, isTool) : readNamedHead(text, format.head, isTool);
    switch (head.kind) {
      case "unfinished":
        if (!isLast) return false;
        this.#state = "text";
        this.#tell("text", this.#buffer.length);
        return false;
      case "malformed":
        this.#tell("text", Math.max(this.#headAt, 1));
        this.#state = "text";
        return true;
      case "begun":
        this.#take(this.#headAt + head.argumentsAt);
        this.#call(head.name);
        this.#scanner = new ValueScanner();
        this.#state = "arguments";
        return true;
      case "whole":
        this.#take(this.#headAt + head.end);
        this.#call(head.name);
        this.#tellArguments(head.arguments);
        this.#calls++;
        this.#state = "between";
        return true;
    }
  }

  #arguments(): boolean {
    const end = this.#scanner.endIn(this.#buffer);
    this.#tellArguments(this.#take(end ?? this.#buffer.length));
    if (end === undefined) return false;
    this.#calls++;
    this.#state = this.#options.calls?.format.head === "object" ? "rest" : "between";
    this.#scanner = new ValueScanner(1);
    return true;
  }

  /** What follows the arguments in a call's object, if it goes on at all. */
  #rest(isLast: boolean): boolean {
    const said = this.#buffer.trimStart();
    if (said === "" && !isLast) return false;
    if (said.startsWith("}") || said.startsWith(",")) {
      const end = new ValueScanner(1).endIn(this.#buffer);
      if (end === undefined && !isLast) return false;
      this.#take(end ?? this.#buffer.length);
    }
    this.#state = "between";
    return true;
  }

  #between(isLast: boolean): boolean {
    const format = this.#options.calls?.format;
    if (format === undefined) return false;
    const said = this.#buffer.trimStart();
    const space = this.#buffer.length - said.length;
    const again = [...format.begins, ...format.separators, ...(format.list ? [","] : [])];
    const closings = [...format.closings, ...(format.list ? ["]"] : [])];
    const begin = again.find((text) => said.startsWith(text));
    if (begin !== undefined) {
      this.#headAt = space + begin.length;
      this.#state = "head";
      return true;
    }
    const closing = closings.find((text) => said.startsWith(text));
    if (closing !== undefined) {
      this.#take(space + closing.length);
      return true;
    }
    if (!isLast && [...again, ...closings].some((text) => text.startsWith(said))) return false;
    if (said === "") this.#take(space);
    this.#state = "text";
    return true;
  }

  /** How much of a text can't become a mark: what is held is the beginning of one and white space before it. */
  #sure(text: string, marks: readonly string[], isLast: boolean, holdsSpace: boolean): number {
    if (isLast) return text.length;
    const held = Math.max(0, ...marks.map((mark) => overlap(text, mark)));
    const rest = text.slice(0, text.length - held);
    return holdsSpace ? rest.trimEnd().length : rest.length;
  }

  #take(length: number): string {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    this.#tokens.take(length);
    return taken;
  }

  #tell(type: "text" | "reasoning", length: number): void {
    if (length === 0) return;
    const tokens = this.#tokens.take(length);
    const text = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    const completionTokens = this.#completionTokens;
    this.#events.push({ type, text, completionTokens, ...(tokens.length === 0 ? {} : { tokens }) });
  }

  #call(name: string): void {
    const { newCallId } = this.#options;
    const completionTokens = this.#completionTokens;
    this.#events.push({ type: "toolCall", index: this.#calls, id: newCallId(), name, completionTokens });
  }

  #tellArguments(text: string): void {
    if (text === "") return;
    const completionTokens = this.#completionTokens;
    this.#events.push({ type: "toolArguments", index: this.#calls, text, completionTokens });
  }
}

/** The first place of any of the texts; of several at one place, the longest. */
function firstOf(texts: readonly string[], within: string): { at: number; text: string } | undefined {
  const places = texts.map((text) => ({ at: within.indexOf(text), text })).filter(({ at }) => at >= 0);
  return places.sort((a, b) => a.at - b.at || b.text.length - a.text.length)[0];
}

/** How many characters at the end of a text are the beginning of a mark. */
function overlap(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--)
    if (text.endsWith(mark.slice(0, length))) return length;
  return 0;
}
