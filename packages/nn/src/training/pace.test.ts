import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";

describe("the pace of runs", () => {
  it("starts with one step, since nobody knows how long it takes, and grows by four at most", () => {
    const pace = new Pace(1000);
    expect(pace.steps).toBe(1);
    pace.note(1, 4);
    expect(pace.steps).toBe(4);
    pace.note(4, 16);
    expect(pace.steps).toBe(16);
  });

  it("keeps a run at about 200 ms", () => {
    const pace = new Pace(1000);
    for (let i = 0; i < 10; i++) pace.note(pace.steps, pace.steps * 4);
    expect(pace.steps).toBe(50);
    pace.note(50, 50 * 40); // the machine is busy now
    expect(pace.steps).toBe(5);
  });

  it("never goes below one step, however slow, nor above 32 MiB of data", () => {
    const slow = new Pace(1000);
    slow.note(1, 60_000);
    expect(slow.steps).toBe(1);
    const large = new Pace(15 * 2 ** 20);
    for (let i = 0; i < 5; i++) large.note(large.steps, 0.01);
    expect(large.steps).toBe(2);
  });
});
