import { describe, expect, it } from "vitest";
import type { Claimant, Cost } from "../metering/index.ts";
import { type BudgetRule, BudgetRules, thresholdAmount } from "./budget-rules.ts";

const claimant: Claimant = { organizationId: "org_1", projectId: "prj_1", keyId: "key_1" };
const at = new Date("2026-11-23T12:00:00Z");
const rule = (more: Partial<BudgetRule> = {}): BudgetRule => ({
  id: "bud_1",
  organizationId: "org_1",
  name: "prod",
  subject: { type: "project", id: "prj_1" },
  amount: "10",
  currency: "USD",
  period: "month",
  hard: true,
  thresholds: ["50", "80", "100"],
  ...more,
});
const estimates = [
  { meter: "service.requests", quantity: 1n, dimensions: {} },
  { meter: "service.images", quantity: "3", dimensions: {} },
];
const costs: Cost[] = [
  { priceId: "prc_1", amount: "0.1" },
  { priceId: "prc_2", amount: "0.2" },
];
const holdsOf = (rules: BudgetRules, when = at, kind: "request" | "cost" = "request") =>
  rules.terms(claimant, estimates, costs, when, kind).holds.map(({ allowance, amount }) => [allowance.id, amount]);

describe("[BUD5] whom a budget is about", () => {
  it("a request counts in those of its organization, project and key, and in no other", () => {
    const budgets = [
      rule({ id: "bud_org", subject: { type: "organization", id: "org_1" } }),
      rule({ id: "bud_prj" }),
      rule({ id: "bud_key", subject: { type: "key", id: "key_1" } }),
      rule({ id: "bud_other_org", subject: { type: "organization", id: "org_2" } }),
      rule({ id: "bud_other_prj", subject: { type: "project", id: "prj_2" } }),
      rule({ id: "bud_other_key", subject: { type: "key", id: "key_2" } }),
      rule({ id: "bud_strange", subject: { type: "key", id: "prj_1" } }),
    ];
    const expected = ["bud_org:2026-11-01", "bud_prj:2026-11-01", "bud_key:2026-11-01"];
    const rules = new BudgetRules(budgets);
    expect(holdsOf(rules).map(([id]) => id)).toEqual(expected);
    const [use = { meter: "", quantity: "0", dimensions: {} }] = estimates;
    const accruals = rules.accruals(claimant, use, { priceId: "p", amount: "0.25" }, at);
    expect(accruals.map(({ allowance, amount }) => [allowance.id, amount])).toEqual(expected.map((id) => [id, "0.25"]));
    const session = { ...claimant, keyId: null };
    expect(rules.terms(session, estimates, costs, at, "request").holds).toHaveLength(2);
  });
});

describe("[BUD1] what a claim needs", () => {
  it("of a hard budget: the exact sum of what it can cost; of a soft one: nothing", () => {
    expect(holdsOf(new BudgetRules([rule()]))).toEqual([["bud_1:2026-11-01", "0.3"]]);
    expect(holdsOf(new BudgetRules([rule({ hard: false })]))).toEqual([]);
  });

  it("what has no price is refused by a hard budget alone; what costs nothing needs no room", () => {
    const unknown: Cost[] = [
      { priceId: "p", amount: "1" },
      { priceId: null, amount: null },
    ];
    const free: Cost[] = [
      { priceId: "p", amount: "0" },
      { priceId: "p", amount: "0" },
    ];
    const [hard, soft] = [new BudgetRules([rule()]), new BudgetRules([rule({ hard: false })])];
    expect(() => hard.terms(claimant, estimates, unknown, at, "request")).toThrow(
      expect.objectContaining({ code: "price.unknown", details: { meter: "service.images", budget: "bud_1" } }),
    );
    expect(soft.terms(claimant, estimates, unknown, at, "request").holds).toEqual([]);
    expect(hard.terms(claimant, estimates, free, at, "request").holds).toEqual([]);
    expect(hard.terms(claimant, [], [], at, "free").holds).toEqual([]);
    const [use = { meter: "", quantity: "0", dimensions: {} }] = estimates;
    expect(hard.accruals(claimant, use, { priceId: null, amount: null }, at)).toEqual([]);
  });

  it("who is refused is told by which budget, and how it stands", () => {
    const [hold] = new BudgetRules([rule()]).terms(claimant, estimates, costs, at, "request").holds;
    const refusal = hold?.allowance.refusal({ used: "9.7000", held: "0.1", wanted: "0.3" });
    expect(refusal).toMatchObject({
      code: "budget.exceeded",
      message: 'The budget "prod" of 10 USD has no room for 0.3 more: 9.7 is spent, 0.1 reserved.',
      details: {
        budget: "bud_1",
        subject: { type: "project", id: "prj_1" },
        spent: "9.7",
        reserved: "0.1",
        period_end: "2026-12-01T00:00:00.000Z",
      },
    });
    expect([hold?.allowance.capacity, hold?.allowance.thresholds]).toEqual(["10", ["5", "8", "10"]]);
  });

  it("thresholds are exact, without exponents", () => {
    expect(thresholdAmount("0.00000000003", "33.5")).toBe("0.00000000001005");
    expect(thresholdAmount("999999999999.99999999999", "100")).toBe("999999999999.99999999999");
  });
});

describe("[BUD2] in which period", () => {
  const rules = new BudgetRules([
    rule(),
    rule({ id: "bud_day", period: "day" }),
    rule({ id: "bud_all", period: "total" }),
  ]);

  it("a request is held in the period of its admission, also when admissions come out of order", () => {
    const before = new Date("2026-12-31T23:59:59.999Z");
    const after = new Date("2027-01-01T00:00:00.000Z");
    const [old, fresh] = [
      ["bud_1:2026-12-01", "bud_day:2026-12-31", "bud_all:total"],
      ["bud_1:2027-01-01", "bud_day:2027-01-01", "bud_all:total"],
    ];
    for (const [when, ids] of [
      [before, old],
      [after, fresh],
      [before, old],
      [after, fresh],
    ] as const)
      expect(holdsOf(rules, when).map(([id]) => id)).toEqual(ids);
  });

  it("running cost is held in both periods where one ends within the time that is claimed ahead", () => {
    expect(holdsOf(rules, new Date("2026-12-31T23:58:30Z"), "cost").map(([id]) => id)).toEqual([
      "bud_1:2026-12-01",
      "bud_1:2027-01-01",
      "bud_day:2026-12-31",
      "bud_day:2027-01-01",
      "bud_all:total",
    ]);
    expect(holdsOf(rules, new Date("2026-12-31T23:57:30Z"), "cost")).toHaveLength(3);
  });
});
