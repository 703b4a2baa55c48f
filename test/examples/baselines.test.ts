import { describe, expect, it } from "vitest";
import { bagOfWords, frequentWords } from "../../examples/baselines/bag-of-words.ts";
import { binaryScores } from "../../examples/baselines/binary-scores.ts";
import { CharacterNgrams } from "../../examples/baselines/character-ngrams.ts";
import { mostFrequentTagger, taggingAccuracy } from "../../examples/baselines/most-frequent-tag.ts";
import { Random } from "../../examples/random.ts";

describe("the most frequent tag", () => {
  const sentences = [
    { words: ["Run", "run", "run", "the", "gnu"], tags: ["vb", "nn", "vb", "at", "np"] },
    { words: ["run", "the", "emu", "yak"], tags: ["vb", "at", "np", "nn"] },
  ];
  const tagger = mostFrequentTagger(sentences);

  it("is the word's; unseen words go by lower case, then by words seen once", () => {
    expect(["run", "The", "ibex"].map(tagger)).toEqual(["vb", "at", "np"]);
    expect(taggingAccuracy(tagger, sentences)).toBe(8 / 9); // "run" is a noun once
  });

  it("of nothing is nothing", () => {
    expect(mostFrequentTagger([])("a")).toBe("");
    expect(taggingAccuracy(tagger, [])).toBeNaN();
  });
});

describe("counted sequences", () => {
  const size = 5;
  const random = new Random(1);
  // each character likely follows from the one before it
  const text: number[] = [0];
  while (text.length < 3000) text.push(random.next() < 0.8 ? ((text.at(-1) ?? 0) + 1) % size : random.below(size));

  it("give probabilities that sum to 1 after any context, seen or not, short or long", () => {
    for (const order of [1, 2, 3, 4]) {
      const model = new CharacterNgrams(text.slice(0, 400), order, size);
      for (const context of [[], [3], [0, 0], [4, 2, 0], [1, 1, 1, 1, 1]]) {
        const all = Array.from({ length: size }, (_, next) => model.probability(context, context.length, next));
        expect(Math.min(...all)).toBeGreaterThan(0);
        expect(all.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
      }
    }
  });

  it("come near the entropy of what made the text", () => {
    const entropy = -(0.84 * Math.log2(0.84) + 4 * 0.04 * Math.log2(0.04)); // 0.8 + 0.2 / 5, and 0.2 / 5 each
    const bits = [1, 2, 3].map((order) =>
      new CharacterNgrams(text.slice(0, 2000), order, size).bitsPerCharacter(text.slice(2000)),
    );
    expect(bits[0]).toBeCloseTo(Math.log2(size), 1);
    expect(Math.abs((bits[1] ?? 0) - entropy)).toBeLessThan(0.15);
    expect(Math.abs((bits[2] ?? 0) - entropy)).toBeLessThan(0.2);
  });

  it("follow the formula: a text small enough to count by hand", () => {
    // pairs: 01 twice, 10 once, 11 once; discounts have no ground here (nothing counted three times), so 0.5 each but the first
    const model = new CharacterNgrams([0, 1, 0, 1, 1], 2, 2);
    const discountOfOne = 1 - 2 * (2 / (2 + 2 * 1)) * (1 / 2); // n1 = 2, n2 = 1: 0.5
    // one character: before 0 stood one kind, before 1 two; n1 = 1, n2 = 1
    const single = { once: 1 - 2 * (1 / 3) * 1, twice: 0.5 };
    const lower1 = (2 - single.twice + (single.once + single.twice) * 0.5) / 3;
    const after0 = (2 - 0.5 + 0.5 * lower1) / 2;
    expect(discountOfOne).toBe(0.5);
    expect(model.probability([0], 1, 1)).toBeCloseTo(after0, 12);
  });

  it("too long to be told apart are refused", () => {
    expect(() => new CharacterNgrams([0], 12, 90)).toThrow(
      "order: expected a whole number from 1 with 90 ** order below 2 ** 53",
    );
    expect(() => new CharacterNgrams([0], 0, 2)).toThrow("received 0");
  });

  it("of an empty text know nothing: all characters are alike", () => {
    expect(new CharacterNgrams([], 3, 4).probability([1, 2], 2, 3)).toBe(0.25);
  });
});

describe("a bag of words", () => {
  it("counts texts, not words; equal ones go by the alphabet", () => {
    expect(frequentWords([["b", "b", "b"], ["c", "a"], ["a"]], 2)).toEqual(["a", "b"]);
  });

  it("tells texts by their words", async () => {
    const random = new Random(2);
    const texts = Array.from({ length: 300 }, (_, i) => ({
      isPositive: i % 3 === 0,
      words: [...Array.from({ length: 6 }, () => `w${random.below(40)}`), i % 3 === 0 ? "offer" : "meeting"],
    }));
    const options = { words: 50, epochs: 60, seed: 1, threads: 1 };
    const answers = await bagOfWords(texts.slice(30), texts.slice(0, 30), options);
    const { accuracy } = binaryScores(
      answers,
      texts.slice(0, 30).map((text) => text.isPositive),
    );
    expect(accuracy).toBeGreaterThan(0.9);
  });

  it("is scored as people do it", () => {
    expect(binaryScores([0.9, 0.5, 0.1, 0.2, Number.NaN], [true, false, true, false, true])).toEqual({
      accuracy: 2 / 5,
      precision: 1 / 2,
      recall: 1 / 3,
      f1: 2 / 5,
      falsePositives: 1,
      falseNegatives: 2,
    });
  });
});
