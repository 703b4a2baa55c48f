import { expect, it } from "vitest";
import { chaos } from "./chaos.ts";

it("what was answered is on the ledger once, whoever is killed meanwhile", { timeout: 300_000 }, async () => {
  const report = await chaos({ pieces: 5000, killsEach: 2, seed: 1 });
  expect(report.faults).toEqual([]);
  expect(report.counted).toEqual(report.answered);
  expect(report.kills).toBe(6);
});
