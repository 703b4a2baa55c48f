/** @file Prompts as tokens. */
import type { LlamaModel } from "node-llama-cpp";
import type { Segment } from "../chat/special-text.ts";
import { ContextLengthError } from "../errors.ts";
import type { Prompt } from "../language/request.ts";
import type { NativeModel } from "./native.ts";

/** llama.cpp's kinds of vocabularies of encoders: word pieces and unigrams (`llama_vocab_type` in llama.h). */
const wordPieces = 3;
const unigrams = 4;

/**
 * Characters per token of which a text may have more on average and still be tried: the longest tokens that vocabularies
 * have are runs of white space and rules of that length. What is longer can't fit, and would hold up everyone: the text
 * of one request is cut into tokens in one go.
 */
const longestToken = 128;

/** Makes tokens of prompts. */
export class Tokenizer {
  readonly #native: NativeModel;
  readonly #contextLength: number;
  readonly #begin: number | undefined;
  readonly #end: number | undefined;

  constructor(model: LlamaModel, native: NativeModel, contextLength: number) {
    this.#native = native;
    this.#contextLength = contextLength;
    const { bos, eos, sep, shouldPrependBosToken, shouldAppendEosToken } = model.tokens;
    const kind = native.getVocabularyType();
    this.#begin = (kind === wordPieces || shouldPrependBosToken ? bos : null) ?? undefined;
    const end = kind === wordPieces ? sep : kind === unigrams || shouldAppendEosToken ? eos : null;
    this.#end = end ?? undefined;
  }

  /** A text that is to go on, with the token that the model expects in front; special tokens that it names are meant. */
  prompt(prompt: Prompt): Uint32Array {
    if (typeof prompt !== "string") return Uint32Array.from(prompt);
    const tokens = this.#cut(prompt, true);
    if (this.#begin === undefined || tokens[0] === this.#begin) return tokens;
    return Uint32Array.of(this.#begin, ...tokens);
  }

  /** A text for an embedding, with the tokens that the model expects around it; special tokens that it names are not meant. */
  embedding(prompt: Prompt): number[] {
    const tokens = typeof prompt === "string" ? [...this.#cut(prompt, false)] : [...prompt];
    if (this.#begin !== undefined && tokens[0] !== this.#begin) tokens.unshift(this.#begin);
    if (this.#end !== undefined && tokens.at(-1) !== this.#end) tokens.push(this.#end);
    return tokens;
  }

  /** A prompt that a template has made. Where it has no beginning token, it gets the one that the model expects. */
  segments(segments: readonly Segment[]): Uint32Array {
    const tokens = segments.flatMap(({ text, special }) => [...this.#cut(text, special)]);
    if (this.#begin !== undefined && tokens[0] !== this.#begin) tokens.unshift(this.#begin);
    return Uint32Array.from(tokens);
  }

  #cut(text: string, special: boolean): Uint32Array {
    if (text === "") return new Uint32Array(0);
    if (text.length > this.#contextLength * longestToken)
      throw new ContextLengthError(Math.ceil(text.length / longestToken), undefined, this.#contextLength);
    return this.#native.tokenize(text, special);
  }
}
