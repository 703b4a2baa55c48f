import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBilling, spendOf } from "../billing/index.ts";
import { changeRules } from "../metering/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { BudgetRules } from "./budget-rules.ts";
import { openAllowance } from "./opening.ts";
import { reconcileBudgets } from "./reconciliation.ts";
import { allRules, putBudget } from "./store.ts";
import { allowances, eventOf, reserve, type TestPlatform, testPlatform, use } from "./testing/platform.ts";

let database: TestDatabase;
let project: ProjectId;
let platform: TestPlatform;

beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  // The first 100 are free in each month; then each package of 10 that is begun costs 1.
  await sql`insert into price (id, meter, charge, free, currency, effective_from)
            values ('prc_p', 'service.images', '{"type": "package", "size": "10", "amount": "1"}', 100, 'USD', '2020-01-01T00:00:00Z')`.execute(
    database.db,
  );
  // Rounds so far apart that only this test reconciles.
  platform = await testPlatform(database.db, 3_600_000);
  await changeRules(database.db, async (transaction) => {
    await putBudget(transaction, {
      id: "bud_1",
      organization_id: "org_default",
      name: "x",
      subject_type: "project",
      subject_id: project,
      amount: "20",
      currency: "USD",
      period: "total",
      hard: true,
      thresholds: [],
      emails: [],
      webhooks: [],
    });
    const [budget] = await allRules(transaction);
    if (budget !== undefined) await openAllowance(transaction, budget);
  });
});
afterEach(async () => {
  await platform.stop();
  await database.close();
});

const billed = async () => {
  const span = { from: new Date("2020-01-01Z"), to: new Date("2100-01-01Z") };
  return (await spendOf(database.db, { ...span, projectIds: [project] })).amount;
};
const counted = async () => (await allowances(database.db))["bud_1:total"];

describe("[BUD6] prices that depend on the month", () => {
  it("are counted at their most, and reconciled with what billing rates, so that the room comes back", async () => {
    for (let times = 0; times < 15; times++) await use(platform, { projectId: project, quantity: 1 });
    expect([await counted(), await billed()]).toEqual([["15", "0"], "0"]);
    await use(platform, { projectId: project, quantity: 50 });
    await expect(reserve(platform, { projectId: project, quantity: 1 })).rejects.toMatchObject({
      code: "budget.exceeded",
    });
    expect(await reconcileBudgets(database.db, 0)).toBe(1);
    expect(await counted()).toEqual(["0", "0"]);
    await use(platform, { projectId: project, quantity: 60 });
    expect([await counted(), await billed()]).toEqual([["6", "0"], "3"]);
    await reconcileBudgets(database.db, 0);
    expect(await counted()).toEqual(["3", "0"]);
    expect(await reconcileBudgets(database.db, 0)).toBe(0);
  });

  it("the difference is given back once, by however many servers, while use goes on", async () => {
    const uses = Array.from({ length: 40 }, (_, index) => async () => {
      if (index % 4 === 3) await reconcileBudgets(database.db, 0);
      else await use(platform, { projectId: project, quantity: 3 }).catch(() => {});
    });
    await Promise.all(uses.map((work) => work()));
    const [used, held] = (await counted()) ?? [];
    expect(Number(used)).toBeGreaterThanOrEqual(Number(await billed()));
    expect(held).toBe("0");
    await Promise.all(Array.from({ length: 8 }, () => reconcileBudgets(database.db, 0)));
    expect((await counted())?.[0]).toBe(await billed());
  });

  it("holds stay, and nothing is ever counted up", async () => {
    const open = await reserve(platform, { projectId: project, quantity: 5 });
    await use(platform, { projectId: project, quantity: 5 });
    await reconcileBudgets(database.db, 0);
    expect(await counted()).toEqual(["0", "1"]);
    await sql`update allowance set used = -5`.execute(database.db);
    expect(await reconcileBudgets(database.db, 0)).toBe(0);
    await platform.metering.ledger.settle(open, [eventOf(open, { quantity: 5 })]);
    expect(await counted()).toEqual(["-4", "0"]);
  });

  it("what is asked of the rules is what the price list says", async () => {
    const prices = await createBilling({ db: database.db }).prices.load(database.db);
    const claimant = { organizationId: "org_default", projectId: project, keyId: null } as const;
    const estimates = [{ meter: "service.images", quantity: "11", dimensions: {} }];
    const costs = estimates.map((estimate) => prices.bound(claimant, estimate, new Date()));
    const rules = new BudgetRules(await allRules(database.db));
    expect(rules.terms(claimant, estimates, costs, new Date(), "request").holds.map(({ amount }) => amount)).toEqual([
      "2",
    ]);
  });
});
