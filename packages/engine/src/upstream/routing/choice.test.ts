import { describe, expect, it } from "vitest";
import { chooseUpstream } from "./choice.ts";

const at = (priority: number, weight: number, isAvailable = true) => ({ priority, weight, isAvailable });

describe("the choice of an upstream", () => {
  it("takes shares by weight within the first priority", () => {
    const candidates = [at(1, 9), at(0, 1), at(0, 3)];
    const counts = [0, 0, 0];
    for (let i = 0; i < 400; i++)
      counts[chooseUpstream(candidates, i / 400) ?? -1] = (counts[chooseUpstream(candidates, i / 400) ?? -1] ?? 0) + 1;
    expect(counts).toEqual([0, 100, 300]);
  });

  it("goes to the next priority when none of the first is available", () => {
    expect(chooseUpstream([at(0, 1, false), at(2, 1), at(1, 1)], 0.99)).toBe(2);
    expect(chooseUpstream([at(0, 1, false)], 0)).toBeUndefined();
    expect(chooseUpstream([], 0)).toBeUndefined();
  });

  it("takes one of weight 0 only when no other of its priority is left", () => {
    expect(chooseUpstream([at(0, 0), at(0, 1)], 0)).toBe(1);
    expect(chooseUpstream([at(0, 0), at(0, 1, false), at(1, 1)], 0.5)).toBe(0);
  });

  it("misses none by rounding", () => {
    const tenth = Array.from({ length: 10 }, () => at(0, 0.1));
    expect(chooseUpstream(tenth, 1 - Number.EPSILON / 2)).toBe(9);
  });
});
