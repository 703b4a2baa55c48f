/** @file A sampler that looks at logits here, where llama.cpp's looks into a context of its own. */
import type { NativeGrammar, NativeSampler, NativeSampling } from "../llama/native.ts";
import { chooseToken, randomOf } from "./choose-token.ts";

/** Chooses the tokens of one answer. */
export class LogitSampler implements NativeSampler {
  readonly #grammar: NativeGrammar;
  readonly #written = new Map<number, number>();
  #settings: NativeSampling = {};
  #random = randomOf(0);

  constructor(grammar: NativeGrammar) {
    this.#grammar = grammar;
  }

  applyConfig(settings: NativeSampling): void {
    this.#settings = settings;
    this.#random = randomOf(settings.seed ?? 0);
  }

  /** The next token, which counts as written; -1 when none is allowed. */
  choose(logits: Float32Array): number {
    const state = this.#settings.grammarEvaluationState;
    const token = chooseToken(logits, {
      settings: this.#settings,
      written: this.#written,
      random: this.#random,
      allows:
        state === undefined
          ? undefined
          : (candidate) => this.#grammar.canBeNextTokenForGrammarEvaluationState(state, candidate),
    });
    if (token < 0) return token;
    this.#written.set(token, (this.#written.get(token) ?? 0) + 1);
    if (state !== undefined) this.#grammar.acceptGrammarEvaluationStateToken(state, token);
    return token;
  }

  dispose(): void {
    this.#written.clear();
  }
}
