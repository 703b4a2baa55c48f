/**
 * @file What the step loop uses of node-llama-cpp's addon. Its public `evaluate()` decides itself what a batch is, samples
 * from a distribution that was already cut and tempered, and cannot be stopped while it reads a prompt; the addon below it
 * has the four calls that continuous batching needs. They are no public promise: the version is pinned exactly, and
 * `openNative` looks whether they are there.
 */
import type { Llama, LlamaContext, LlamaGrammarEvaluationState, LlamaModel } from "node-llama-cpp";
import { EngineRunError } from "../errors.ts";

/** Settings of a sampler; what is left out does nothing. */
export interface NativeSampling {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: number;
  readonly repeatPenalty?: number;
  readonly repeatPenaltyTokens?: Uint32Array;
  readonly repeatPenaltyMaxTokens?: number;
  readonly repeatPenaltyPresencePenalty?: number;
  readonly repeatPenaltyFrequencyPenalty?: number;
  readonly tokenBiasKeys?: Uint32Array;
  readonly tokenBiasValues?: Float32Array;
  readonly grammarEvaluationState?: unknown;
}

/** Chooses tokens; remembers random state, penalties and grammar from one token to the next. */
export interface NativeSampler {
  applyConfig(config: NativeSampling): void;
  dispose(): void;
}

/** Tokens and logits in turn, likeliest first; tokens, largest, smallest, chosen, how many. */
type LogitFilter = readonly [tokens: readonly number[], max: boolean, min: boolean, selected: boolean, top: number];

/** What sampling answers when it is asked for logits. */
export type NativeLogits = readonly [
  token: number,
  probabilities: undefined,
  confidence: undefined,
  logits: readonly number[],
  /** Sum of exp(logit - largest logit). */
  totalWeight: number,
];

/** A context of several sequences, as the addon has it. */
export interface NativeContext {
  initBatch(tokens: number): void;
  /** Rows of a sequence from a position on; answers where the asked logits will lie. */
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitsAt: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(at: number, sampler: NativeSampler): Promise<number>;
  sampleToken(
    at: number,
    sampler: NativeSampler,
    probabilities: false,
    confidence: false,
    logits: LogitFilter,
    totalWeight: true,
  ): Promise<NativeLogits>;
  /** Forgets a whole sequence. */
  disposeSequence(sequence: number): void;
  /** False where the model's memory cannot forget a part. */
  removeTokenCellsFromSequence(sequence: number, from: number, to: number): boolean;
  getSequenceKvCacheMinPosition(sequence: number): number;
}

/** The addon's vocabulary. */
export interface NativeModel {
  tokenize(text: string, special: boolean): Uint32Array;
  getTokenString(token: number): string;
  getTokenAttributes(token: number): number;
  getVocabularyType(): number;
  isEogToken(token: number): boolean;
}

/** Asks a grammar, for who chooses tokens without the addon. A state moves on with each token that it accepts. */
export interface NativeGrammar {
  canBeNextTokenForGrammarEvaluationState(state: unknown, token: number): boolean;
  acceptGrammarEvaluationStateToken(state: unknown, token: number): void;
}

/** The addon behind a loaded model. */
export interface Native {
  readonly model: NativeModel;
  readonly grammar: NativeGrammar;
  createSampler(): NativeSampler;
  contextOf(context: LlamaContext): NativeContext;
  grammarStateOf(state: LlamaGrammarEvaluationState): unknown;
}

interface Insides {
  readonly _bindings?: { readonly AddonSampler?: NativeGrammar & (new (model: unknown) => NativeSampler) };
  readonly _model?: NativeModel;
  readonly _ctx?: NativeContext;
  readonly _state?: unknown;
}

/** @throws EngineRunError when node-llama-cpp is another than the one that this was written for. */
export function openNative(llama: Llama, loaded: LlamaModel): Native {
  const Sampler = inside(llama, "_bindings").AddonSampler;
  const model = inside(loaded, "_model");
  if (Sampler === undefined) throw changed("_bindings.AddonSampler");
  return {
    model,
    grammar: Sampler,
    createSampler: () => new Sampler(model),
    contextOf: (context) => inside(context, "_ctx"),
    grammarStateOf: (state) => inside(state, "_state"),
  };
}

function inside<Key extends keyof Insides>(holder: object, key: Key): Exclude<Insides[Key], undefined> {
  const value = (holder as Insides)[key];
  if (value === undefined) throw changed(key);
  return value as Exclude<Insides[Key], undefined>;
}

const changed = (what: string): EngineRunError =>
  new EngineRunError(
    `expected node-llama-cpp 3.22.1, received one without "${what}"; install the version of package.json`,
  );
