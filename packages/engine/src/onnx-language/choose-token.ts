/** @file Pure: from the logits of one place to a token. The order of steps is llama.cpp's. */
import type { NativeSampling } from "../llama/native.ts";

/** What a choice looks at beside the logits. */
export interface ChoiceOptions {
  readonly settings: NativeSampling;
  /** How often each token was written in this answer. */
  readonly written: ReadonlyMap<number, number>;
  /** A number from 0 up to, without, 1. */
  readonly random: () => number;
  /** Whether the grammar lets a token follow; undefined: there is no grammar. */
  readonly allows: ((token: number) => boolean) | undefined;
}

/**
 * The next token: logit bias, penalties, top-k, top-p, min-p, temperature, choice. The grammar is asked about the choice
 * first, and about all tokens where it says no: that is a call for each.
 * @returns -1 when the grammar lets no token follow.
 */
export function chooseToken(logits: Float32Array, options: ChoiceOptions): number {
  const weighed = weigh(logits, options);
  const { allows } = options;
  const token = choose(weighed, options);
  if (allows === undefined || token < 0 || allows(token)) return token;
  for (let other = 0; other < weighed.length; other++) if (!allows(other)) weighed[other] = Number.NEGATIVE_INFINITY;
  return choose(weighed, options);
}

/** The logits with bias and penalties. */
function weigh(logits: Float32Array, { settings, written }: ChoiceOptions): Float32Array {
  const weighed = logits.slice();
  const { tokenBiasKeys = [], tokenBiasValues = [] } = settings;
  for (const [i, token] of tokenBiasKeys.entries()) weighed[token] = (weighed[token] ?? 0) + (tokenBiasValues[i] ?? 0);
  const { repeatPenaltyFrequencyPenalty: frequency = 0, repeatPenaltyPresencePenalty: presence = 0 } = settings;
  if (frequency !== 0 || presence !== 0)
    for (const [token, times] of written) weighed[token] = (weighed[token] ?? 0) - times * frequency - presence;
  return weighed;
}

/** A token with its weight, of which probabilities follow. */
interface Candidate {
  readonly token: number;
  readonly logit: number;
}

function choose(logits: Float32Array, { settings, random }: ChoiceOptions): number {
  const { temperature = 0, topK = 0, topP = 1, minP = 0 } = settings;
  const [likeliest] = largest(logits, 1);
  if (likeliest === undefined) return -1;
  if (temperature === 0) return likeliest.token;
  const all = largest(logits, topK > 0 ? topK : logits.length);
  const limited = atLeast(nucleus(all, topP), likeliest.logit, minP);
  const weights = limited.map(({ logit }) => Math.exp((logit - likeliest.logit) / temperature));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  // Rounding may leave a crumb behind the last.
  return limited.at(at)?.token ?? -1;
}

/** The fewest of the likeliest that together have the probability, one at least. */
function nucleus(candidates: readonly Candidate[], topP: number): readonly Candidate[] {
  if (topP >= 1) return candidates;
  const most = candidates[0]?.logit ?? 0;
  const weights = candidates.map(({ logit }) => Math.exp(logit - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const last = weights.findIndex((weight) => {
    sum += weight;
    return sum >= topP * total;
  });
  return last < 0 ? candidates : candidates.slice(0, last + 1);
}

/** Those at least this share as likely as the likeliest. */
const atLeast = (candidates: readonly Candidate[], most: number, share: number): readonly Candidate[] =>
  share <= 0 ? candidates : candidates.filter(({ logit }) => logit >= most + Math.log(share));

/** So many of the largest logits, largest first, the lower token first of equals; what is -∞ or no number is none. */
export function largest(logits: Float32Array, count: number): readonly Candidate[] {
  // Few are kept in order while the logits are walked once; sorting all is for those who want many.
  const kept: Candidate[] = [];
  if (count > fewCandidates) {
    for (const [token, logit] of logits.entries()) if (logit > Number.NEGATIVE_INFINITY) kept.push({ token, logit });
    return kept.sort((a, b) => b.logit - a.logit || a.token - b.token).slice(0, count);
  }
  let least = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token] ?? least;
    if (!(logit > least)) continue;
    const at = kept.findIndex((candidate) => candidate.logit < logit);
    kept.splice(at < 0 ? kept.length : at, 0, { token, logit });
    if (kept.length > count) kept.pop();
    if (kept.length === count) least = kept.at(-1)?.logit ?? least;
  }
  return kept;
}

const fewCandidates = 64;

/** Sum of exp(logit - largest logit). */
export function totalWeight(logits: Float32Array, most: number): number {
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return sum;
}

/** Numbers from 0 up to, without, 1, the same for the same seed: Mulberry32 (T. Ettinger, public domain). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
