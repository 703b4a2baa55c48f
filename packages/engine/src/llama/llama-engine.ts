/** @file A language model on llama.cpp. */
import type { Llama, LlamaContext, LlamaModel } from "node-llama-cpp";
import type { ChatReader } from "../chat/chat-reader.ts";
import type { Segment } from "../chat/special-text.ts";
import { ContextLengthError, EngineClosedError, EngineRequestError } from "../errors.ts";
import { grammarOf } from "../grammar/grammar-of.ts";
import type { EmbedResult, GenerationEvent, RerankResult } from "../language/answer.ts";
import { checkPrompt, checkSettings, expectText } from "../language/check-settings.ts";
import type { CallOptions, LanguageCard, LanguageEngine, LanguageLoad } from "../language/language-engine.ts";
import type { ChatRequest, CompletionRequest, GenerationSettings, Prompt, RerankRequest } from "../language/request.ts";
import { Answer } from "./answer.ts";
import { EventStream } from "./event-stream.ts";
import type { LlamaChat } from "./llama-chat.ts";
import type { Native } from "./native.ts";
import { createGrammar, createObserver, createSampler } from "./sampler.ts";
import type { StepLoop } from "./step-loop.ts";
import { TokenTask } from "./token-task.ts";
import type { TokenTexts } from "./token-texts.ts";
import { Tokenizer } from "./tokenizer.ts";
import type { Vectors } from "./vectors.ts";

/** What loading has made. */
export interface LlamaParts {
  readonly card: LanguageCard;
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly native: Native;
  readonly texts: TokenTexts;
  /** What the loop runs on; undefined for a model that writes nothing. */
  readonly context: Pick<LlamaContext, "dispose"> | undefined;
  readonly loop: StepLoop | undefined;
  readonly vectors: Vectors;
  readonly chat: LlamaChat | undefined;
}

/** What is to be written, once the prompt is tokens. */
interface Writing {
  readonly prompt: Uint32Array;
  readonly settings: GenerationSettings;
  readonly stop: readonly string[];
  readonly reader?: ChatReader;
}

/** One loaded model. */
export class LlamaEngine implements LanguageEngine {
  readonly card: LanguageCard;
  readonly #parts: LlamaParts;
  readonly #tokenizer: Tokenizer;
  #closing: Promise<void> | undefined;

  constructor(parts: LlamaParts) {
    this.#parts = parts;
    this.card = parts.card;
    this.#tokenizer = new Tokenizer(parts.model, parts.native.model, parts.card.contextLength);
  }

  load(): LanguageLoad {
    const load = this.#parts.loop?.load() ?? { slots: 1, busySlots: 0, waiting: 0 };
    return { ...load, waiting: load.waiting + this.#parts.vectors.calls };
  }

  chat(request: ChatRequest, { signal }: CallOptions): AsyncIterable<GenerationEvent> {
    return this.#write(signal, () => {
      const prepared = this.#chat().prepare(request);
      const settings = prepared.constraint === undefined ? request : { ...request, constraint: prepared.constraint };
      return { prompt: this.#chatTokens(prepared.segments), settings, stop: prepared.stop, reader: prepared.reader };
    });
  }

  complete(request: CompletionRequest, { signal }: CallOptions): AsyncIterable<GenerationEvent> {
    return this.#write(signal, () => ({
      prompt: this.#promptTokens("prompt", request.prompt),
      settings: request,
      stop: request.stop,
    }));
  }

  async embed(inputs: readonly Prompt[], { signal }: CallOptions): Promise<EmbedResult> {
    this.#expectOpen(signal);
    this.#expectAbility("embed");
    const tokens = inputs.map((input, i) => {
      const made = this.#tokenizer.embedding(this.#checked(`inputs[${i}]`, input));
      if (made.length >= this.card.contextLength)
        throw new ContextLengthError(made.length, undefined, this.card.contextLength);
      return made;
    });
    const vectors = await this.#parts.vectors.embed(tokens, signal);
    return { vectors, promptTokens: tokens.reduce((sum, { length }) => sum + length, 0) };
  }

  async rerank({ query, documents }: RerankRequest, { signal }: CallOptions): Promise<RerankResult> {
    this.#expectOpen(signal);
    this.#expectAbility("rerank");
    expectText("query", query);
    let promptTokens = 0;
    for (const [i, document] of documents.entries()) {
      expectText(`documents[${i}]`, document);
      const length = await this.#parts.vectors.countPair(query, document);
      if (length >= this.card.contextLength) throw new ContextLengthError(length, undefined, this.card.contextLength);
      promptTokens += length;
    }
    return { scores: await this.#parts.vectors.rank(query, documents, signal), promptTokens };
  }

  async countTokens(request: ChatRequest | { readonly prompt: Prompt }, { signal }: CallOptions): Promise<number> {
    this.#expectOpen(signal);
    if ("prompt" in request) return this.#promptTokens("prompt", request.prompt).length;
    return this.#chatTokens(this.#chat().prepare(request).segments).length;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { loop, vectors, context, model, llama } = this.#parts;
    await loop?.close();
    await vectors.close();
    await context?.dispose();
    await model.dispose();
    await llama.dispose();
  }

  #write(signal: AbortSignal, begin: () => Writing): AsyncIterable<GenerationEvent> {
    let abandon = (_error: unknown): void => {};
    const onAbort = (): void => {
      stream.fail(signal.reason);
      abandon(signal.reason);
    };
    const stream = new EventStream<GenerationEvent>({
      onEnd: () => signal.removeEventListener("abort", onAbort),
      onAbandon: () => abandon(new EngineClosedError()),
    });
    const start = async (): Promise<void> => {
      this.#expectOpen(signal);
      signal.addEventListener("abort", onAbort, { once: true });
      const task = await this.#task(begin(), stream);
      // Gone, or the engine was closed, while the grammar was read.
      if (stream.isOver) return task.release();
      abandon = (error) => this.#parts.loop?.abandon(task, error);
      this.#parts.loop?.submit(task);
    };
    stream.startWith(() => start().catch((error: unknown) => stream.fail(error)));
    return stream;
  }

  async #task({ prompt, settings, stop, reader }: Writing, stream: EventStream<GenerationEvent>): Promise<TokenTask> {
    const { native, llama, model, texts } = this.#parts;
    this.#expectAbility("complete");
    checkSettings({ ...settings, stop }, this.card.vocabularySize);
    const { contextLength } = this.card;
    const { maxTokens, logprobs } = settings;
    if (prompt.length === 0) throw new EngineRequestError("prompt", "expected at least one token, received none");
    if (prompt.length + Math.max(1, maxTokens ?? 1) > contextLength)
      throw new ContextLengthError(prompt.length, maxTokens, contextLength);
    const most = Math.min(maxTokens ?? contextLength, contextLength - prompt.length);
    const grammar =
      settings.constraint === undefined
        ? undefined
        : await createGrammar(llama, model, native, grammarOf(settings.constraint));
    if (this.#closing !== undefined) throw new EngineClosedError();
    return new TokenTask({
      prompt,
      maxTokens: most,
      sampler: createSampler(native, settings.sampling, most, grammar),
      top: logprobs,
      observer: logprobs === undefined ? undefined : createObserver(native),
      listener: new Answer({ promptTokens: prompt.length, stop, reader, texts, stream }),
    });
  }

  #promptTokens(field: string, prompt: Prompt): Uint32Array {
    return this.#tokenizer.prompt(this.#checked(field, prompt));
  }

  #chatTokens(segments: readonly Segment[]): Uint32Array {
    for (const { text } of segments) expectText("messages", text);
    return this.#tokenizer.segments(segments);
  }

  #checked(field: string, prompt: Prompt): Prompt {
    checkPrompt(field, prompt, this.card.vocabularySize);
    return prompt;
  }

  #chat(): LlamaChat {
    const { chat } = this.#parts;
    if (chat === undefined)
      throw new EngineRequestError("messages", "expected a model with a chat template, received one without");
    return chat;
  }

  #expectOpen(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#closing !== undefined) throw new EngineClosedError();
  }

  #expectAbility(ability: "complete" | "embed" | "rerank"): void {
    if (!this.card.abilities[ability])
      throw new EngineRequestError("model", `expected one that can ${ability}, received one that can't`);
  }
}
