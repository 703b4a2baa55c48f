import { describe, expect, it } from "vitest";
import {
  admits,
  afterOutcome,
  afterStart,
  type BreakerState,
  type CallOutcome,
  closedBreaker,
} from "./circuit-breaker.ts";

const settings = { failures: 3, openMs: 100, maxOpenMs: 350 };
const tell = (state: BreakerState, outcome: CallOutcome, nowMs = 0, epoch = state.epoch): BreakerState =>
  afterOutcome(state, outcome, { epoch, nowMs, settings });
const opened = (nowMs = 0): BreakerState =>
  tell(tell(tell(closedBreaker, "failed", nowMs), "failed", nowMs), "failed", nowMs);

describe("the circuit breaker", () => {
  it("opens after so many failures in a row, and only in a row", () => {
    const two = tell(tell(closedBreaker, "failed"), "failed");
    expect(admits(two, 0)).toBe(true);
    expect(admits(tell(tell(two, "answered"), "failed"), 0)).toBe(true);
    expect(admits(tell(two, "failed"), 0)).toBe(false);
  });

  it("busy servers and callers that leave change nothing", () => {
    const two = tell(tell(closedBreaker, "failed"), "failed");
    expect(tell(two, "unknown")).toEqual(two);
    expect(tell(two, "alive")).toEqual(two);
  });

  it("lets one call through on trial when its time is over", () => {
    expect(admits(opened(), 99)).toBe(false);
    expect(admits(opened(), 100)).toBe(true);
    const trial = afterStart(opened());
    expect(admits(trial, 1e9)).toBe(false);
    expect(tell(trial, "answered")).toMatchObject({ status: "closed", failures: 0, streak: 0 });
  });

  it("stays open twice as long after each trial that fails, up to a bound", () => {
    let state = opened();
    const spans: number[] = [];
    for (let i = 0; i < 4; i++) {
      spans.push(state.untilMs);
      state = { ...tell(afterStart(state), "failed", 0) };
    }
    expect(spans).toEqual([100, 200, 350, 350]);
  });

  it("closes on probation with the first piece of a trial: the next failure opens it again", () => {
    const alive = tell(afterStart(opened()), "alive");
    expect(admits(alive, 0)).toBe(true);
    expect(tell(alive, "failed", 7)).toMatchObject({ status: "open", untilMs: 207 });
  });

  it("a trial that tells nothing is followed by another at once", () => {
    const state = tell(afterStart(opened()), "unknown", 500);
    expect(admits(state, 500)).toBe(true);
    expect(admits(afterStart(state), 500)).toBe(false);
  });

  it("calls that began before it opened say nothing about afterwards", () => {
    const trial = afterStart(opened());
    expect(tell(trial, "failed", 0, trial.epoch - 1)).toEqual(trial);
    expect(tell(opened(), "answered")).toEqual(opened());
  });
});
