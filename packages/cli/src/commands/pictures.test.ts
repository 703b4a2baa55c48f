/** What people look at rather than read, as it was reviewed: golden/pictures.txt. */
import type { DeniedAccess, MeterReport, Price, UsageReport } from "@gristmill/contract";
import { expect, it } from "vitest";
import { remedyText } from "../remedy.ts";
import { painter } from "../terminal/paint.ts";
import { budgetGauge, gauge } from "./budget-gauge.ts";
import { tiersChart } from "./charge.ts";
import { deniedText } from "./denied.ts";
import { rolesText } from "./member.ts";
import { meterText } from "./meter.ts";
import { spendText } from "./spend.ts";
import { linesText } from "./usage-lines.ts";

const plain = painter(false);

const use = (day: number, model: string | null, amount: string | null): UsageReport["data"][number] => ({
  window_start: `2026-11-0${day}T00:00:00Z`,
  window_end: `2026-11-0${day + 1}T00:00:00Z`,
  meter: "service.requests",
  unit: "request",
  group: { model },
  events: 1,
  quantity: "1",
  amount,
  price_ids: [],
  unpriced_events: amount === null ? 1 : 0,
});

const report: UsageReport = {
  object: "usage",
  from: "2026-11-01T06:00:00Z",
  to: "2026-11-06T09:00:00Z",
  currency: "USD",
  total: "1.24",
  exact_total: "1.23531",
  lines: [
    {
      project_id: "prj_1",
      meter: "service.requests",
      unit: "request",
      price_id: "prc_1",
      period_start: "2026-11-01T00:00:00Z",
      period_end: "2026-12-01T00:00:00Z",
      events: 11,
      quantity: "11",
      amount: "1.23531",
      rounded_amount: "1.24",
    },
  ],
  lines_total: "1.24",
  unpriced_events: 1,
  data: [
    use(1, "digits", "0.3"),
    use(1, "letters", "0.1"),
    ...["a", "b", "c", "d", "e"].map((name, i) => use(1, name, `0.0${5 - i}`)),
    use(2, "digits", "0.2"),
    use(3, "letters", "0.00001"),
    use(5, "digits", "0.4853"),
    use(6, null, null),
  ],
};

const tiers = [
  { up_to: "1000", unit: "0.002", flat: "0" },
  { up_to: "10000", unit: "0.0015", flat: "5" },
  { up_to: null, unit: "0.001", flat: "0" },
];
const price: Price = {
  id: "prc_1",
  object: "price",
  meter: "service.images",
  model: null,
  hardware: null,
  amount: null,
  charge: { type: "graduated", tiers },
  free: "0",
  minimum: null,
  maximum: null,
  currency: "USD",
  effective_from: "2026-11-01T00:00:00Z",
  effective_to: null,
};

const measured: MeterReport = {
  object: "meter.report",
  meter: "shop.sales",
  aggregation: "sum",
  unit: "USD",
  from: "2026-11-01T00:00:00Z",
  to: "2026-11-03T00:00:00Z",
  data: [
    [1, "berlin", "12.5"],
    [1, "paris", "3"],
    [2, "berlin", "-2"],
  ].map(([day, shop, value]) => ({
    window_start: `2026-11-0${day}T00:00:00Z`,
    window_end: `2026-11-0${Number(day) + 1}T00:00:00Z`,
    group: { shop: String(shop) },
    events: 1,
    value: String(value),
  })),
};

const denied = (actor_id: string | null, address: string | null, count: number): DeniedAccess => ({
  id: `${count}`,
  object: "denied_access",
  minute: "2026-11-01T09:30:00Z",
  project_id: null,
  actor_id,
  address,
  route: "GET /api/runs",
  code: actor_id === null ? "auth.invalid" : "auth.forbidden",
  count,
});

const budget = { amount: "10", spent: "5.5", reserved: "1.2", thresholds: [50, 80, 100] };
const refused = { budget: "bud_1", amount: "10", spent: "9.99", reserved: "0", period_end: "2026-12-01T00:00:00Z" };
const screen = { columns: 80, paint: plain };

it("pictures are as they were reviewed", async () => {
  const pictures = {
    "spend by day, split by model": spendText(report, { by: "day", split: "model" }, plain, 100),
    "spend by model": spendText(report, { by: "model", split: undefined }, plain, 80),
    "the lines of a bill": linesText(report, plain),
    "a budget": budgetGauge(budget, 80, plain),
    "a budget that is passed": budgetGauge({ ...budget, spent: "12" }, 80, plain),
    "a budget that refused": remedyText({ code: "budget.exceeded", details: refused }, screen),
    "a limit that refused": remedyText({ code: "limit.exceeded", details: { limit_id: "lim_1" } }, screen),
    "what roles may do": rolesText(plain),
    "a price in tiers": tiersChart(price, 80, plain),
    "a meter": meterText(measured, plain, 80),
    "denied accesses": deniedText([denied(null, "203.0.113.7", 120), denied("key_1", "203.0.113.8", 3)], plain, 80),
  };
  const text = Object.entries(pictures).map(([title, picture]) => `== ${title}\n\n${picture}\n`);
  await expect(text.join("\n")).toMatchFileSnapshot("../golden/pictures.txt");
});

it("a chart shows every day of its span, and a long one only those with use", () => {
  const daysOf = (from: string): string[] =>
    spendText({ ...report, from }, { by: "day", split: undefined }, plain, 100).match(/^ {2}\d{4}-\d\d-\d\d/gm) ?? [];
  expect(daysOf("2026-10-30T23:59:00Z")).toHaveLength(8);
  expect(daysOf("2020-01-01T00:00:00Z").map((line) => line.trim())).toEqual([
    "2026-11-01",
    "2026-11-02",
    "2026-11-03",
    "2026-11-05",
    "2026-11-06",
  ]);
  const months = spendText(report, { by: "month", split: undefined }, plain, 100);
  expect(months).toMatch(/^ {2}2026-11 {2}█+ +1\.23531$/m);
});

it("nothing is drawn wider than the window, whatever is in it", () => {
  for (const columns of [60, 80, 100, 140])
    for (const by of ["day", "model"])
      for (const line of spendText(report, { by, split: "model" }, plain, columns).split("\n").slice(0, -2))
        expect([...line].length).toBeLessThanOrEqual(columns);
});

it("a gauge is as wide as asked, shows a little of little, and never more than all", () => {
  const drawn = (spent: string, reserved: string) => gauge({ ...budget, spent, reserved }, 10, plain);
  expect(drawn("0", "0")).toBe("░".repeat(10));
  expect(drawn("0.001", "0")).toBe(`█${"░".repeat(9)}`);
  expect(drawn("9", "5")).toBe(`${"█".repeat(9)}▒`);
  expect(drawn("900", "5")).toBe("█".repeat(10));
  expect(drawn("-3", "0")).toBe("░".repeat(10));
});

it("what has no better remedy keeps the help of the error table", () => {
  expect(remedyText({ code: "budget.exceeded", details: {} }, screen)).toBeUndefined();
  expect(remedyText({ code: "run.not_found", details: { budget: "x" } }, screen)).toBeUndefined();
});
