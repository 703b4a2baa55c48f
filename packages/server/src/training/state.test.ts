import { runStatus } from "@gristmill/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { activeStatuses, type Happening, isFinal, nextStatus, unfinishedStatuses } from "./state.ts";

const happenings: readonly Happening[] = [
  "claimed",
  "interrupted",
  "cancel_requested",
  "stopped",
  "paused",
  "resumed",
  "finished",
  "failed",
];

it("[RUN1] a run that has ended stays as it is, whatever happens", () => {
  for (const status of ["succeeded", "failed", "cancelled"] as const) {
    expect(isFinal(status)).toBe(true);
    for (const happening of happenings) expect(nextStatus(status, happening)).toBeUndefined();
  }
});

it("[RUN1] a run that was asked to stop is never queued again", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...happenings), { maxLength: 20 }), (story) => {
      let status = nextStatus("running", "cancel_requested") ?? "running";
      for (const happening of story) status = nextStatus(status, happening) ?? status;
      expect(["cancelling", "cancelled", "succeeded", "failed"]).toContain(status);
    }),
  );
});

it("[RUN1] every status is reached from queued, and every unfinished one can still end", () => {
  const reached = new Set<string>(["queued"]);
  for (let size = 0; size !== reached.size; ) {
    size = reached.size;
    for (const status of runStatus.options.filter((option) => reached.has(option)))
      for (const happening of happenings) reached.add(nextStatus(status, happening) ?? status);
  }
  expect([...reached].sort()).toEqual([...runStatus.options].sort());
  for (const status of unfinishedStatuses)
    expect(isFinal(nextStatus(status, status === "paused" ? "cancel_requested" : "failed") ?? status)).toBe(true);
});

it("[RUN1] only a claim starts a worker, and only an interruption or a pause that is over queues a run again", () => {
  for (const status of runStatus.options)
    for (const happening of happenings) {
      const next = nextStatus(status, happening);
      if (next === "running") expect([status, happening]).toEqual(["queued", "claimed"]);
      if (next === "queued") expect(["running interrupted", "paused resumed"]).toContain(`${status} ${happening}`);
    }
  expect(activeStatuses.every((status) => nextStatus(status, "interrupted") !== undefined)).toBe(true);
});
