/** @file Text written by a language model, a character at a time. */
import type { Model } from "@gristmill/nn";
import { Random } from "../random.ts";
import type { Alphabet } from "./alphabet.ts";

/** How to write. */
export interface GenerateOptions {
  /** Characters to write. */
  readonly count: number;
  /** Characters that the model sees at most. */
  readonly length: number;
  /** Below 1 likelier characters are preferred, above 1 rarer ones. */
  readonly temperature: number;
  readonly seed: number;
  readonly threads: number | undefined;
}

/** Goes on with a text that has at least one character. The model's output is [batch, steps, characters], probabilities. */
export async function generate(
  model: Model,
  alphabet: Alphabet,
  start: string,
  options: GenerateOptions,
): Promise<string> {
  const { count, length, temperature, seed, threads } = options;
  const random = new Random(seed);
  const text = [...alphabet.encode(start)];
  for (let i = 0; i < count; i++) {
    const seen = Int32Array.from(text.slice(-length));
    const { data } = await model.predict({ shape: [1, seen.length], data: seen }, { threads });
    text.push(draw(data.subarray(-alphabet.size), temperature, random.next()));
  }
  return alphabet.decode(text);
}

/** The place that a number from 0 to 1 falls on, when each place has its probability's share. */
function draw(probabilities: Float32Array, temperature: number, at: number): number {
  const weights = probabilities.map((probability) => probability ** (1 / temperature));
  let left = at * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.length - 1;
}
