import type { FinishReason, GenerationEvent, WrittenToken } from "../../language/answer.ts";
import type { JsonObject } from "../json.ts";
import { readChunk, type TextPiece, toFinishReason } from "./chunk.ts";
import { ToolCallReader } from "./tool-calls.ts";
import { readUsage, type ToldUsage } from "./usage.ts";

/** What the answer is read with. */
export interface AnswerOptions {
  readonly cachedTokens: "inside" | "outside" | "detect";
  /** What stands in for the prompt's count until it is told. */
  readonly promptEstimate: number;
  readonly nowMs: () => number;
  /** When the caller asked, and when this attempt was made. */
  readonly askedMs: number;
  readonly sentMs: number;
}

/** Turns the chunks of one answer into events. Tokens are counted by their probabilities where these are told, else by pieces. */
export class AnswerReader {
  readonly #options: AnswerOptions;
  readonly #toolCalls = new ToolCallReader();
  /** The first half of a character of UTF-16 whose second has not come. */
  #half: TextPiece | undefined;
  #halfTokens: readonly WrittenToken[] = [];
  #usage: ToldUsage | undefined;
  #written = 0;
  #reasoning = 0;
  #finish: string | undefined;
  #firstPieceMs: number | undefined;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** True when the upstream has said that the answer ended: what may still come is its usage. */
  get hasFinished(): boolean {
    return this.#finish !== undefined;
  }

  /** The events of a chunk. @throws RangeError for a chunk that makes no sense. */
  read(data: JsonObject): readonly GenerationEvent[] {
    const chunk = readChunk(data);
    this.#usage = readUsage(chunk.usage, this.#options.cachedTokens) ?? this.#usage;
    const events: GenerationEvent[] = [];
    if (chunk.texts.length > 0) this.#readTexts(chunk.texts, chunk.tokens, events);
    this.#readToolCalls(chunk.toolCalls, events);
    if (chunk.finish !== undefined) this.#finish = chunk.finish;
    return this.#begun(events);
  }

  /** The last events. @throws RangeError for an answer that is not complete. */
  end(): readonly GenerationEvent[] {
    const reason = this.#reason();
    const events: GenerationEvent[] = [];
    if (this.#half !== undefined) events.push(this.#textEvent({ ...this.#half, text: "\uFFFD" }, this.#halfTokens));
    const begun = this.#begun(events, true);
    const { askedMs, sentMs, nowMs } = this.#options;
    const firstMs = this.#firstPieceMs ?? nowMs();
    const timings = { queueMs: sentMs - askedMs, promptMs: firstMs - sentMs, completionMs: nowMs() - firstMs };
    return [...begun, { type: "finished", reason, usage: this.#total(), timings }];
  }

  #readTexts(
    texts: readonly TextPiece[],
    tokens: readonly WrittenToken[] | undefined,
    events: GenerationEvent[],
  ): void {
    // Counts that come with every chunk are exact; probabilities tell tokens; else a piece stands for one.
    const count = tokens === undefined || tokens.length === 0 ? texts.length : tokens.length;
    this.#written += count;
    if (texts.every(({ type }) => type === "reasoning")) this.#reasoning += count;
    for (const [i, piece] of texts.entries()) {
      const whole = this.#whole(piece, events);
      const theirs = i === texts.length - 1 ? (tokens ?? []) : [];
      if (whole === undefined) this.#halfTokens = [...this.#halfTokens, ...theirs];
      else {
        events.push(this.#textEvent(whole, [...this.#halfTokens, ...theirs], tokens !== undefined));
        this.#halfTokens = [];
      }
    }
  }

  /** Keeps back half a character at the end of a text, and adds the one that was kept back before. */
  #whole(piece: TextPiece, events: GenerationEvent[]): TextPiece | undefined {
    let { text } = piece;
    if (this.#half?.type === piece.type) text = this.#half.text + text;
    else if (this.#half !== undefined) events.push(this.#textEvent({ type: this.#half.type, text: "\uFFFD" }, []));
    this.#half = undefined;
    if (/[\uD800-\uDBFF]$/.test(text)) {
      this.#half = { type: piece.type, text: text.slice(-1) };
      text = text.slice(0, -1);
    }
    return text === "" ? undefined : { type: piece.type, text: text.toWellFormed() };
  }

  #textEvent(piece: TextPiece, tokens: readonly WrittenToken[], hasTokens = tokens.length > 0): GenerationEvent {
    return { ...piece, completionTokens: this.#completionTokens, ...(hasTokens ? { tokens } : {}) };
  }

  #readToolCalls(toolCalls: unknown, events: GenerationEvent[]): void {
    for (const { index, begins, text } of this.#toolCalls.read(toolCalls)) {
      this.#written++;
      const completionTokens = this.#completionTokens;
      if (begins !== undefined) events.push({ type: "toolCall", index, ...begins, completionTokens });
      if (text !== "") events.push({ type: "toolArguments", index, text, completionTokens });
    }
  }

  /** `started` before the first event. */
  #begun(events: readonly GenerationEvent[], isEnd = false): readonly GenerationEvent[] {
    if (this.#firstPieceMs !== undefined || (events.length === 0 && !isEnd)) return events;
    this.#firstPieceMs = this.#options.nowMs();
    const { promptTokens = this.#options.promptEstimate, cachedTokens = 0 } = this.#usage ?? {};
    const estimated = this.#usage === undefined ? { isEstimated: true as const } : {};
    return [{ type: "started", promptTokens, cachedTokens, ...estimated }, ...events];
  }

  get #completionTokens(): number {
    return Math.max(this.#usage?.completionTokens ?? 0, this.#written);
  }

  /** A count of none for an answer that has text is no count. */
  #total(): Extract<GenerationEvent, { type: "finished" }>["usage"] {
    const told = this.#usage;
    if (told === undefined || (told.completionTokens === 0 && this.#written > 0))
      return {
        promptTokens: told?.promptTokens ?? this.#options.promptEstimate,
        cachedTokens: told?.cachedTokens ?? 0,
        completionTokens: this.#written,
        reasoningTokens: this.#reasoning,
        isEstimated: true,
      };
    const reasoningTokens = told.reasoningTokens ?? Math.min(this.#reasoning, told.completionTokens);
    return { ...told, reasoningTokens };
  }

  #reason(): FinishReason {
    if (this.#finish === undefined) throw new RangeError("an answer with an end, received one that breaks off");
    const reason = toFinishReason(this.#finish);
    if (reason === undefined)
      throw new RangeError(
        `an answer that is complete, received one that ended by ${JSON.stringify(this.#finish.slice(0, 50))}`,
      );
    // Some servers say "stop" after calls.
    return reason === "stop" && this.#toolCalls.count > 0 ? "toolCalls" : reason;
  }
}
