/** @file One answer: tokens become text, text becomes events, and all of it is counted. */
import type { ChatReader } from "../chat/chat-reader.ts";
import type { GenerationEvent, GenerationTimings, TokenProbability, WrittenToken } from "../language/answer.ts";
import { AnswerText, type TextPiece } from "./answer-text.ts";
import type { EventStream } from "./event-stream.ts";
import type { Likelihood, TokenListener } from "./token-task.ts";
import type { TokenTexts } from "./token-texts.ts";

/** What an answer is made with. */
export interface AnswerOptions {
  readonly promptTokens: number;
  readonly stop: readonly string[];
  /** Who tells text from tool calls; undefined: all is text. */
  readonly reader: ChatReader | undefined;
  readonly texts: TokenTexts;
  readonly stream: EventStream<GenerationEvent>;
}

/** Writes the events of one answer. */
export class Answer implements TokenListener {
  readonly #options: AnswerOptions;
  readonly #text: AnswerText;
  #cachedTokens = 0;
  #completionTokens = 0;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#text = new AnswerText(options.stop, options.reader !== undefined);
  }

  started(cachedTokens: number): void {
    const { promptTokens, stream } = this.#options;
    this.#cachedTokens = cachedTokens;
    stream.push({ type: "started", promptTokens, cachedTokens });
  }

  token(token: number, chosen: Likelihood | undefined, top: readonly Likelihood[]): boolean {
    this.#completionTokens++;
    const text = this.#options.texts.of(token);
    if (text.isEnd) return true;
    const written = chosen && this.#written(chosen, top);
    for (const piece of this.#text.push(text, written)) this.#show(piece);
    return this.#text.isStopped;
  }

  finished(reason: "stop" | "length", timings: GenerationTimings): void {
    const { promptTokens, reader, stream } = this.#options;
    for (const piece of this.#text.end()) this.#show(piece);
    const end = reader?.end(this.#text.isStopped ? "stop" : reason);
    for (const event of end?.events ?? []) stream.push(event);
    stream.push({
      type: "finished",
      reason: end?.reason ?? (this.#text.isStopped ? "stop" : reason),
      usage: {
        promptTokens,
        cachedTokens: this.#cachedTokens,
        completionTokens: this.#completionTokens,
        reasoningTokens: end?.reasoningTokens ?? 0,
      },
      timings,
    });
    stream.finish();
  }

  failed(error: unknown): void {
    this.#options.stream.fail(error);
  }

  #show({ text, tokens }: TextPiece): void {
    const { reader, stream } = this.#options;
    const told = tokens.length > 0 ? { tokens } : {};
    const piece = { text, completionTokens: this.#completionTokens, ...told };
    if (reader === undefined) stream.push({ type: "text", ...piece });
    else for (const event of reader.push(piece)) stream.push(event);
  }

  #written(chosen: Likelihood, top: readonly Likelihood[]): WrittenToken {
    return { ...this.#probability(chosen), top: top.map((likelihood) => this.#probability(likelihood)) };
  }

  #probability({ token, logprob }: Likelihood): TokenProbability {
    const { bytes } = this.#options.texts.of(token);
    return { token, text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), bytes, logprob };
  }
}
