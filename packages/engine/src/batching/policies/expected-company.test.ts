import { describe, expect, it } from "vitest";
import { describePolicy } from "../../testing/describe-policy.ts";
import type { BatchSettings, QueueState } from "../policy.ts";
import { expectedCompany } from "./expected-company.ts";

const settings: BatchSettings = { maxBatchSize: 8, maxDelayMs: 2, maxQueue: 100 };
const state = (count: number, more: Partial<QueueState> = {}): QueueState => ({
  candidates: Array.from({ length: count }, () => ({ rows: 1, arrivedMs: 100 })),
  isClosed: false,
  lastBatch: 0,
  ...more,
});

describePolicy("expectedCompany", expectedCompany);

describe("expectedCompany", () => {
  it("lets a lone caller wait for nobody", () => {
    expect(expectedCompany(state(1), 100, settings)).toEqual({ run: 1 });
    expect(expectedCompany(state(1, { lastBatch: 1 }), 100, settings)).toEqual({ run: 1 });
  });

  it("waits for as many as came last time, and no longer than the delay", () => {
    expect(expectedCompany(state(2, { lastBatch: 3 }), 100.5, settings)).toEqual({ waitMs: 1.5 });
    expect(expectedCompany(state(3, { lastBatch: 3 }), 100.5, settings)).toEqual({ run: 3 });
    expect(expectedCompany(state(2, { lastBatch: 3 }), 102, settings)).toEqual({ run: 2 });
  });

  it("does not wait when the batch is full or can't grow", () => {
    expect(expectedCompany(state(8, { lastBatch: 30 }), 100, settings)).toEqual({ run: 8 });
    expect(expectedCompany(state(2, { lastBatch: 3, isClosed: true }), 100, settings)).toEqual({ run: 2 });
  });
});
