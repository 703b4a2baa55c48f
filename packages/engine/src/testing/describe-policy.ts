/** @file The contract of a batching policy: a new one gets these properties by one call. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BatchPolicy, BatchSettings, QueueState } from "../batching/policy.ts";

const settings: fc.Arbitrary<BatchSettings> = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 64 }),
  maxDelayMs: fc.double({ min: 0, max: 1000, noNaN: true }),
  maxQueue: fc.integer({ min: 1, max: 1000 }),
});

/** A queue, and how long ago its head arrived. */
const queue = fc.record({
  waiting: fc.array(
    fc.record({ rows: fc.integer({ min: 1, max: 80 }), laterMs: fc.double({ min: 0, max: 50, noNaN: true }) }),
    {
      minLength: 1,
      maxLength: 70,
    },
  ),
  isClosed: fc.boolean(),
  lastBatch: fc.integer({ min: 0, max: 70 }),
  headWaitedMs: fc.double({ min: 0, max: 2000, noNaN: true }),
});

/** Checks a policy over thousands of queues. */
export function describePolicy(name: string, policy: BatchPolicy): void {
  describe(`${name} keeps the policy's contract`, () => {
    it("[BAT7] runs 1 or more of the candidates, or waits a positive time within the head's delay", () => {
      fc.assert(
        fc.property(settings, queue, (limits, { waiting, isClosed, lastBatch, headWaitedMs }) => {
          const nowMs = 10_000;
          let arrivedMs = nowMs - headWaitedMs;
          const candidates = waiting.map(({ rows, laterMs }, i) => {
            if (i > 0) arrivedMs = Math.min(nowMs, arrivedMs + laterMs);
            return { rows, arrivedMs };
          });
          const state: QueueState = { candidates, isClosed, lastBatch };
          const before = structuredClone(state);
          const decision = policy(state, nowMs, limits);
          expect(state).toEqual(before);
          expect(policy(state, nowMs, limits)).toEqual(decision);
          if ("run" in decision) {
            expect(decision.run).toBeGreaterThanOrEqual(1);
            expect(decision.run).toBeLessThanOrEqual(candidates.length);
            return;
          }
          expect(isClosed).toBe(false);
          expect(decision.waitMs).toBeGreaterThan(0);
          expect(headWaitedMs + decision.waitMs).toBeLessThanOrEqual(limits.maxDelayMs + 1e-6);
        }),
        { numRuns: 2000 },
      );
    });
  });
}
