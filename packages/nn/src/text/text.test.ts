import { describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { keyOf, normalAt, uniformAt } from "../random/hash.ts";
import { ctcBeamSearch } from "./ctc-beam-search.ts";
import { ctcGreedyDecode } from "./ctc-greedy.ts";
import { characterErrorRate, editDistance, wordErrorRate } from "./edit-distance.ts";

describe("edit distance", () => {
  it.each([
    ["kitten", "sitting", 3],
    ["", "abc", 3],
    ["abc", "", 3],
    ["", "", 0],
    ["same", "same", 0],
    ["ab", "ba", 2],
    ["a🦉b", "ab", 1], // a code point, though two units of UTF-16
    ["flaw", "lawn", 2],
  ])("of %j and %j is %i", (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected);
    expect(editDistance(b, a)).toBe(expected);
  });

  it("takes lists of anything", () => {
    expect(editDistance([1, 2, 3], [1, 3])).toBe(1);
  });

  it("keeps the triangle's inequality, and is at least the difference of lengths (seed 5)", () => {
    const word = (i: number) =>
      Array.from(
        { length: Math.floor(uniformAt(keyOf(5, i), 0) * 9) },
        (_, j) => "abc"[Math.floor(uniformAt(keyOf(5, i), j + 1) * 3)] ?? "",
      );
    for (let i = 0; i < 60; i += 3) {
      const [a, b, c] = [word(i), word(i + 1), word(i + 2)];
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }
  });
});

describe("error rates", () => {
  it("count all texts together", () => {
    expect(wordErrorRate(["the cat sat", "a"], ["the cat", "a b"])).toBe(2 / 4);
    expect(characterErrorRate(["abc", "d"], ["abx", "d"])).toBe(1 / 4);
  });

  it("do not count spaces as words, and count them as characters", () => {
    expect(wordErrorRate([" the  cat\n"], ["the cat"])).toBe(0);
    expect(characterErrorRate(["a b"], ["ab"])).toBe(1 / 3);
  });

  it("of references without length are 0 or infinite", () => {
    expect(wordErrorRate([], [])).toBe(0);
    expect(wordErrorRate([" "], [""])).toBe(0);
    expect(wordErrorRate([""], ["more"])).toBe(Number.POSITIVE_INFINITY);
  });

  it("want as many hypotheses as references", () => {
    expect(() => wordErrorRate(["a"], [])).toThrow(DataError);
    expect(() => wordErrorRate(["a"], [])).toThrow("expected a hypothesis for each of 1 references, received 0");
  });
});

/** Scores that say one class at each time. */
const saying = (path: readonly number[], classes: number) => ({
  shape: [1, path.length, classes],
  data: path.flatMap((said) => Array.from({ length: classes }, (_, label) => (label === said ? 5 : 0))),
});

describe("CTC's greedy decoding", () => {
  it("folds repeats and drops blanks", () => {
    expect(ctcGreedyDecode(saying([0, 1, 1, 0, 1, 2, 2, 0], 3))).toEqual([[1, 1, 2]]);
    expect(ctcGreedyDecode(saying([2, 0, 2, 0, 0, 1], 3), { blank: "last" })).toEqual([[0, 0, 1]]);
    expect(ctcGreedyDecode(saying([0, 0], 3))).toEqual([[]]);
  });

  it("stops at each sample's length", () => {
    expect(ctcGreedyDecode(saying([1, 0, 2], 3), { lengths: [2] })).toEqual([[1]]);
    expect(ctcGreedyDecode(saying([1, 0, 2], 3), { lengths: [0] })).toEqual([[]]);
  });
});

/** Every list with the probability of all ways to spell it, the likeliest first. */
function byAllPaths(rows: readonly (readonly number[])[]): [string, number][] {
  let paths: [number[], number][] = [[[], 1]];
  for (const row of rows)
    paths = paths.flatMap(([path, p]) => row.map((q, label): [number[], number] => [[...path, label], p * q]));
  const sums = new Map<string, number>();
  for (const [path, p] of paths) {
    const spelled = path.filter((label, i) => label !== path[i - 1] && label !== 0).join(",");
    sums.set(spelled, (sums.get(spelled) ?? 0) + p);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

describe("CTC's beam search", () => {
  it("finds what many ways spell, where the likeliest way spells another", () => {
    const scores = { shape: [1, 2, 2], data: [0.6, 0.4, 0.6, 0.4] };
    expect(ctcGreedyDecode(scores)).toEqual([[]]); // 0.36
    const [[best] = []] = ctcBeamSearch(scores, { fromLogits: false });
    expect(best?.labels).toEqual([1]); // 0.4 * 0.6 + 0.6 * 0.4 + 0.4 * 0.4
    expect(best?.logProbability).toBeCloseTo(Math.log(0.64), 12);
  });

  it("that keeps everything has the probabilities of all paths, in their order (seed 9)", () => {
    const rows = Array.from({ length: 5 }, (_, t) => {
      const powers = Array.from({ length: 3 }, (_v, c) => Math.exp(1.5 * normalAt(keyOf(9, t), c)));
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    });
    const all = byAllPaths(rows);
    const [found = []] = ctcBeamSearch(
      { shape: [1, 5, 3], data: rows.flat() },
      { fromLogits: false, beamWidth: 1000, topPaths: 20 },
    );
    expect(found.map(({ labels }) => labels.join(","))).toEqual(all.slice(0, 20).map(([list]) => list));
    found.forEach(({ logProbability }, i) => void expect(logProbability).toBeCloseTo(Math.log(all[i]?.[1] ?? 0), 10));
  });

  it("reads logits, lengths and a last blank", () => {
    const scores = saying([0, 2, 0, 1], 3);
    expect(ctcBeamSearch(scores, { blank: "last", lengths: [3] })[0]?.[0]?.labels).toEqual([0, 0]);
    expect(ctcBeamSearch({ shape: [2, 1, 2], data: [0, 9, 9, 0] }).map(([one]) => one?.labels)).toEqual([[1], []]);
  });

  it("with a probability of 0 goes on", () => {
    const [[best] = []] = ctcBeamSearch({ shape: [1, 2, 2], data: [0, 1, 1, 0] }, { fromLogits: false });
    expect(best).toEqual({ labels: [1], logProbability: 0 });
  });

  it("tells what does not fit", () => {
    const scores = saying([1, 2], 3);
    expect(() => ctcBeamSearch(scores, { beamWidth: 0 })).toThrow(
      "beamWidth: expected a whole number from 1, received 0",
    );
    expect(() => ctcBeamSearch(scores, { beamWidth: 2, topPaths: 3 })).toThrow(
      "topPaths: expected a whole number from 1 to beamWidth 2, received 3",
    );
    expect(() => ctcGreedyDecode({ shape: [2, 3], data: [] })).toThrow(
      "scores: expected [batch, time, classes] with 2 classes or more, received [2, 3]",
    );
    expect(() => ctcGreedyDecode({ shape: [1, 2, 3], data: [1] })).toThrow(
      "scores: expected 6 numbers of [1, 2, 3], received 1",
    );
    expect(() => ctcGreedyDecode(scores, { lengths: [3] })).toThrow(
      "lengths[0]: expected a whole number from 0 to 2, received 3",
    );
    expect(() => ctcGreedyDecode(scores, { lengths: [1, 1] })).toThrow(
      "lengths: expected one for each of 1 samples, received 2",
    );
  });
});
