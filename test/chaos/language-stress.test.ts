import { expect, it } from "vitest";
import { languageStress } from "./language-stress.ts";

it("chats that are left at any moment, of a model that dies, are paid as far as they went", {
  timeout: 300_000,
}, async () => {
  const report = await languageStress({ requests: 150, kills: 2, seed: 1 });
  expect(report.faults).toEqual([]);
  expect(report.kills).toBe(2);
  expect(Math.min(report.outcomes.answered, report.outcomes.left)).toBeGreaterThan(10);
});
