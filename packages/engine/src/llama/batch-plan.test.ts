import { describe, expect, it } from "vitest";
import { chooseSlot, commonPrefix, planBatch } from "./batch-plan.ts";

const slot = (unread: number, arrival = 0, canPad = unread === 0) => ({ unread, arrival, canPad });
const plan = (slots: Parameters<typeof planBatch>[0], chunk = 100) =>
  planBatch(slots, chunk).map(({ slot: id, count, isPadding }) => `${id}:${count}${isPadding ? "p" : ""}`);

describe("planBatch", () => {
  it("reads one token of each that writes, in the order of the slots", () => {
    expect(plan([slot(1, 3), slot(1, 1), slot(1, 2)])).toEqual(["0:1", "1:1", "2:1"]);
    expect(plan([slot(0), slot(0)])).toEqual([]);
    expect(plan([])).toEqual([]);
  });

  it("reads at most a chunk of all prompts together, the earliest first", () => {
    expect(plan([slot(80, 2), slot(1, 0), slot(70, 1)])).toEqual(["0:30", "1:1", "2:70"]);
    expect(plan([slot(500, 1), slot(500, 0), slot(1, 2)])).toEqual(["1:100", "2:1"]);
  });

  it("fills short gaps with rows that are thrown away, where slots have room", () => {
    expect(plan([slot(1), slot(0), slot(0), slot(1), slot(0)])).toEqual(["0:1", "1:1p", "2:1p", "3:1"]);
    expect(plan([slot(1), slot(0), slot(0), slot(0), slot(1)])).toEqual(["0:1", "4:1"]);
    expect(plan([slot(1), slot(0, 0, false), slot(1)])).toEqual(["0:1", "2:1"]);
    expect(plan([slot(0), slot(1)])).toEqual(["1:1"]);
  });
});

describe("chooseSlot", () => {
  const held = (...tokens: number[]) => Uint32Array.from(tokens);

  it("takes the longest beginning, then the lowest slot, never a busy one", () => {
    expect(chooseSlot([held(1, 2), held(1, 2, 3), held(1, 2, 3)], held(1, 2, 3, 4))).toBe(1);
    expect(chooseSlot([held(), held(9)], held(1))).toBe(0);
    expect(chooseSlot([undefined, held()], held(1))).toBe(1);
    expect(chooseSlot([undefined], held(1))).toBeUndefined();
  });

  it("counts what both begin with", () => {
    expect(commonPrefix(held(1, 2, 3), held(1, 2))).toBe(2);
    expect(commonPrefix(held(), held(1))).toBe(0);
  });
});
