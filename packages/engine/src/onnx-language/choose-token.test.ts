import { describe, expect, it } from "vitest";
import type { NativeSampling } from "../llama/native.ts";
import { type ChoiceOptions, chooseToken, largest, randomOf, totalWeight } from "./choose-token.ts";

const logits = Float32Array.of(1, 4, 2, 3, Number.NEGATIVE_INFINITY);
const choose = (settings: NativeSampling, more: Partial<ChoiceOptions> = {}): number =>
  chooseToken(logits, { settings, written: new Map(), random: () => 0, allows: undefined, ...more });
/** All tokens that any random number would choose. */
const reachable = (settings: NativeSampling): number[] => {
  const found = new Set(Array.from({ length: 2000 }, (_, i) => choose(settings, { random: () => (i + 0.5) / 2000 })));
  return [...found].sort((a, b) => a - b);
};

describe("a choice", () => {
  it("takes the likeliest at temperature 0, the lower token of equals", () => {
    expect(choose({ temperature: 0 })).toBe(1);
    const equal = { settings: {}, written: new Map<number, number>(), random: () => 0.9, allows: undefined };
    expect(chooseToken(Float32Array.of(0, 5, 5), equal)).toBe(1);
  });

  it("adds bias and takes penalties off, by count and once", () => {
    const bias = { tokenBiasKeys: Uint32Array.of(0), tokenBiasValues: Float32Array.of(10) };
    expect(choose({ temperature: 0, ...bias })).toBe(0);
    const written = new Map([[1, 3]]);
    expect(choose({ temperature: 0, repeatPenaltyFrequencyPenalty: 0.5 }, { written })).toBe(3);
    expect(choose({ temperature: 0, repeatPenaltyPresencePenalty: 0.5 }, { written })).toBe(1);
  });

  it("cuts by count, by probability together and by share of the likeliest", () => {
    expect(reachable({ temperature: 1 })).toEqual([0, 1, 2, 3]);
    expect(reachable({ temperature: 1, topK: 2 })).toEqual([1, 3]);
    // 0.64, 0.24, 0.09 and 0.03
    expect(reachable({ temperature: 1, topP: 0.6 })).toEqual([1]);
    expect(reachable({ temperature: 1, topP: 0.7 })).toEqual([1, 3]);
    expect(reachable({ temperature: 1, minP: 0.1 })).toEqual([1, 2, 3]);
  });

  it("chooses in proportion to the probabilities that temperature makes", () => {
    const random = randomOf(5);
    const counts = [0, 0, 0, 0];
    const draws = 4000;
    for (let i = 0; i < draws; i++) {
      const token = choose({ temperature: 2 }, { random });
      counts[token] = (counts[token] ?? 0) + 1;
    }
    const weights = [1, 4, 2, 3].map((logit) => Math.exp(logit / 2));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, token) => void expect((counts[token] ?? 0) / draws).toBeCloseTo(weight / total, 1));
  });

  it("goes by the grammar, and says when it leaves nothing", () => {
    expect(choose({ temperature: 0 }, { allows: (token) => token === 2 })).toBe(2);
    expect(choose({ temperature: 1, topK: 1 }, { allows: (token) => token === 2 })).toBe(2);
    expect(choose({ temperature: 0 }, { allows: () => false })).toBe(-1);
  });
});

describe("the largest logits", () => {
  it("are the same for few and for many, without what is impossible", () => {
    const many = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i * i));
    expect(largest(many, 5)).toEqual(largest(many, 500).slice(0, 5));
    expect(largest(logits, 9).map(({ token }) => token)).toEqual([1, 3, 2, 0]);
    expect(largest(Float32Array.of(Number.NaN, 1), 2)).toEqual([{ token: 1, logit: 1 }]);
  });

  it("weigh as the softmax does", () => {
    expect(totalWeight(Float32Array.of(0, 0, Number.NEGATIVE_INFINITY), 0)).toBe(2);
  });
});

it("random numbers are the same for a seed, and even", () => {
  const [a, b, other] = [randomOf(7), randomOf(7), randomOf(8)];
  const numbers = Array.from({ length: 4000 }, a);
  expect(numbers).toEqual(Array.from({ length: 4000 }, b));
  expect(numbers).not.toEqual(Array.from({ length: 4000 }, other));
  expect(numbers.reduce((sum, one) => sum + one, 0) / numbers.length).toBeCloseTo(0.5, 1);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
});
