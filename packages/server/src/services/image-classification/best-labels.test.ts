import { expect, it } from "vitest";
import { bestLabels } from "./best-labels.ts";

it("gives the best first, no more than asked for, by name or number", () => {
  expect(bestLabels(Float32Array.of(0.25, 0.5, 0.125), ["zero", "one"], 2)).toEqual([
    { label: "one", index: 1, score: 0.5 },
    { label: "zero", index: 0, score: 0.25 },
  ]);
  expect(bestLabels(Float32Array.of(0.25, 0.5, 0.125), [], 9).map(({ label }) => label)).toEqual(["1", "0", "2"]);
});

it("keeps the order of the classes where scores are equal", () => {
  expect(bestLabels(new Float32Array(3), ["a", "b", "c"], 3).map(({ label }) => label)).toEqual(["a", "b", "c"]);
});
