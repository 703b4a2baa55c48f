import { EngineRequestError } from "../errors.ts";
import type { GenerationEvent } from "../language/answer.ts";
import { checkPrompt, checkSettings, expectText } from "../language/check-settings.ts";
import type { CallOptions, LanguageEngine } from "../language/language-engine.ts";
import type { ChatRequest, CompletionRequest, Prompt } from "../language/request.ts";
import { AnswerReader } from "./answer/answer-reader.ts";
import { readAnswer } from "./answer/read-answer.ts";
import { Caller } from "./calls/caller.ts";
import { readCard, type UpstreamCard } from "./card.ts";
import { countTokensAt } from "./count-tokens.ts";
import { dialects } from "./dialects.ts";
import { embedAt, promptEstimate } from "./embeddings.ts";
import { readUpstreamOptions, type UpstreamOptions, type UpstreamSettings } from "./options.ts";
import { toChatBody, toCompletionBody, type Wording } from "./request.ts";
import { rerankAt } from "./rerank.ts";

/** A model that another server runs. */
export interface UpstreamEngine extends LanguageEngine {
  readonly card: UpstreamCard;
  /** False while the server is left alone because it failed again and again: calls would be refused at once. */
  isAvailable(): boolean;
}

/**
 * Reaches a model behind any server of OpenAI's API. Nothing is started; what is not told by the server is the options'.
 * @throws RangeError for an option that makes no sense; EngineRunError as `readCard`; `signal.reason`.
 */
export async function connectUpstream(options: UpstreamOptions): Promise<UpstreamEngine> {
  const settings = readUpstreamOptions(options);
  const caller = new Caller(settings);
  const signal = settings.signal ?? new AbortController().signal;
  const card = await readCard(caller, settings, signal);
  const { abilities } = card;
  if (!abilities.embed || card.embeddingLength > 0) return new HttpUpstreamEngine(settings, caller, card);
  // Nobody told how long the vectors are, so one is made.
  const { vectors } = await embedAt(caller, settings, ["a"], signal);
  return new HttpUpstreamEngine(settings, caller, { ...card, embeddingLength: vectors[0]?.length ?? 0 });
}

class HttpUpstreamEngine implements UpstreamEngine {
  readonly card: UpstreamCard;
  readonly #settings: UpstreamSettings;
  readonly #caller: Caller;
  readonly #wording: Wording;

  constructor(settings: UpstreamSettings, caller: Caller, card: UpstreamCard) {
    this.card = card;
    this.#settings = settings;
    this.#caller = caller;
    this.#wording = { settings, dialect: dialects[card.dialect] };
  }

  load() {
    return this.#caller.load;
  }

  isAvailable(): boolean {
    return this.#caller.isAvailable;
  }

  async *chat(request: ChatRequest, { signal }: CallOptions): AsyncGenerator<GenerationEvent> {
    this.#assertAble("chat", "messages");
    checkSettings(request, this.#vocabularySize);
    for (const [i, { content }] of request.messages.entries())
      for (const [j, part] of content.entries())
        if (part.type === "text") expectText(`messages[${i}].content[${j}]`, part.text);
    const hasImage = request.messages.some(({ content }) => content.some(({ type }) => type === "image"));
    if (hasImage) this.#assertAble("images", "messages");
    const texts = request.messages.flatMap(({ content }) =>
      content.map((part) => (part.type === "text" ? part.text : "")),
    );
    const body = toChatBody(request, this.#wording);
    yield* this.#generate("chat/completions", body, { texts, signal, maxTokens: request.maxTokens });
  }

  async *complete(request: CompletionRequest, { signal }: CallOptions): AsyncGenerator<GenerationEvent> {
    this.#assertAble("complete", "prompt");
    checkSettings(request, this.#vocabularySize);
    if (request.prompt.length === 0) throw new EngineRequestError("prompt", "expected a text or tokens, received none");
    checkPrompt("prompt", request.prompt, this.#vocabularySize);
    const body = toCompletionBody(request, this.#wording);
    yield* this.#generate("completions", body, { texts: [request.prompt], signal, maxTokens: request.maxTokens });
  }

  async embed(inputs: readonly Prompt[], { signal }: CallOptions) {
    this.#assertAble("embed", "inputs");
    return embedAt(this.#caller, this.#settings, inputs, signal);
  }

  async rerank(request: Parameters<LanguageEngine["rerank"]>[0], { signal }: CallOptions) {
    this.#assertAble("rerank", "documents");
    const kind = this.#settings.rerankScores ?? this.#wording.dialect.rerankScores;
    return rerankAt(this.#caller, this.#settings, kind, request, signal);
  }

  async countTokens(request: Parameters<LanguageEngine["countTokens"]>[0], { signal }: CallOptions): Promise<number> {
    const { maxAnswerBytes } = this.#settings;
    return countTokensAt(this.#caller, this.#wording, request, { signal, maxAnswerBytes });
  }

  async close(): Promise<void> {
    this.#caller.close();
  }

  #generate(
    path: string,
    body: unknown,
    asked: { readonly texts: readonly Prompt[]; readonly signal: AbortSignal; readonly maxTokens: number | undefined },
  ): AsyncGenerator<GenerationEvent> {
    const { nowMs, cachedTokens } = this.#settings;
    const askedMs = nowMs();
    return this.#caller.pieces(
      { target: { from: "base", path }, body, isStream: true, maxTokens: asked.maxTokens },
      (response, exchange) => {
        const estimate = promptEstimate(asked.texts);
        const reader = new AnswerReader({
          cachedTokens,
          promptEstimate: estimate,
          nowMs,
          askedMs,
          sentMs: exchange.sentMs,
        });
        return readAnswer(response, exchange, reader, this.#settings);
      },
      asked.signal,
    );
  }

  /** Where nobody tells it, any number may be a token. */
  get #vocabularySize(): number {
    return this.card.vocabularySize || Number.MAX_SAFE_INTEGER;
  }

  #assertAble(ability: keyof UpstreamCard["abilities"], field: string): void {
    if (this.card.abilities[ability]) return;
    throw new EngineRequestError(
      field,
      `the model is not said to ${words[ability]}; facts.abilities.${ability} says so`,
    );
  }
}

const words: Readonly<Record<keyof UpstreamCard["abilities"], string>> = {
  complete: "go on with texts",
  chat: "chat",
  embed: "make embeddings",
  rerank: "rank documents",
  images: "read images",
};
