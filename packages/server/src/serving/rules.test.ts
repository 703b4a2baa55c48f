import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backOffMs, failuresAfter } from "./back-off.ts";
import type { MeteredReplica } from "./replica-store.ts";
import { leastLoaded } from "./routing.ts";
import { dueUsage } from "./usage.ts";

const start = Date.UTC(2026, 0, 1);
const replica = (readyForMs: number, slicesRecorded = 0): MeteredReplica => ({
  id: "rpl_1",
  projectId: "prj_1",
  starts: 2,
  readyAt: new Date(start),
  heartbeatAt: new Date(start + readyForMs),
  slicesRecorded,
  deployment: "digits",
  model: "mnist",
  revision: 3,
  threads: 2,
});

describe("slices of a replica's time", () => {
  it("[SRV13] are 5 s, then 60 s each, and the rest at the end", () => {
    expect(dueUsage(replica(4999), false)).toEqual([]);
    expect(dueUsage(replica(64_999), false)).toHaveLength(1);
    const [first, second, third, ...rest] = dueUsage(replica(66_250), true);
    expect(rest).toEqual([]);
    expect(first).toEqual({
      id: "rpl_1:2:0",
      meter: "deployment.replica_seconds",
      quantity: "5.000",
      time: new Date(start + 5000),
      admittedAt: new Date(start),
      requestId: null,
      keyId: null,
      dimensions: { deployment: "digits", model: "mnist", revision: "3", hardware: "cpu-2" },
    });
    expect(second).toMatchObject({ id: "rpl_1:2:1", quantity: "60.000", admittedAt: new Date(start + 5000) });
    expect(third).toMatchObject({ id: "rpl_1:2:2", quantity: "1.250", admittedAt: new Date(start + 65_000) });
    expect(dueUsage(replica(0), true)).toEqual([]);
  });

  it("[SRV13] add up to the whole time, whenever they are taken, each once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 20 }), (times) => {
        const totalMs = Math.max(0, ...times);
        const events = new Map<string, number>();
        let recorded = 0;
        for (const time of times.sort((a, b) => a - b)) {
          const due = dueUsage(replica(time, recorded), false);
          for (const { id, quantity } of due) events.set(id, Number(quantity) * 1000);
          recorded += due.length;
        }
        const last = dueUsage(replica(totalMs, recorded), true);
        for (const { id, quantity } of last) {
          expect(events.has(id)).toBe(false);
          events.set(id, Number(quantity) * 1000);
        }
        expect(Math.round([...events.values()].reduce((sum, ms) => sum + ms, 0))).toBe(totalMs);
      }),
    );
  });
});

describe("back-off", () => {
  it("[SRV5] doubles from 100 ms to 30 s, and begins anew after a stable minute", () => {
    expect([1, 2, 3, 9, 10, 1000].map(backOffMs)).toEqual([100, 200, 400, 25_600, 30_000, 30_000]);
    expect([failuresAfter(4, 0), failuresAfter(4, 59_999), failuresAfter(4, 60_000)]).toEqual([5, 5, 1]);
  });
});

describe("leastLoaded", () => {
  it("[SRV6] is the first of the smallest loads, and none of none", () => {
    expect([leastLoaded([]), leastLoaded([3, 1, 1]), leastLoaded([0])]).toEqual([undefined, 1, 0]);
  });
});
