import {
  organizationUsageQuery,
  type Page,
  type Price,
  type ProjectId,
  type UsageEvent,
  type UsageReport,
} from "@gristmill/contract";
import Big from "big.js";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../ids.ts";
import { testCaller } from "../testing/caller.ts";
import { BillingService } from "./service.ts";
import { createTariff } from "./tariff.ts";
import { terms } from "./testing/prices.ts";
import { type BillingWorld, openBilling, usage } from "./testing/world.ts";

let world: BillingWorld;
let one: ProjectId;
let two: ProjectId;
const span = "from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z";

beforeAll(async () => {
  world = await openBilling();
  one = await world.project("one");
  two = await world.project("two");
  const foreign = await world.project("foreign");
  const { db } = world.database;
  await sql`insert into organization (id, name) values ('org_other', 'other')`.execute(db);
  await sql`update project set organization_id = 'org_other' where id = ${foreign}`.execute(db);
  world.keys["blind"] = { projectId: one, scopes: ["usage:read"] };
  const flat = terms({ type: "flat", amount: "0.005" });
  await world.pastPrice("prc_hops", "hops", terms({ type: "package", size: "4", amount: "1" }, { free: "2" }));
  await world.pastPrice("prc_calls", "calls", flat);
  await world.pastPrice("prc_calls2", "calls", terms({ type: "per_unit", amount: "0.5" }), "2026-02-10T00:00:00Z");
  await world.ledger.record(one, [
    usage("a", "hops", "5", "2026-01-05T10:00:00Z", { dimensions: { user: "usr_1" } }),
    usage("b", "hops", "3", "2026-02-05T10:00:00Z", { dimensions: { user: "usr_2" } }),
    usage("c", "calls", "1", "2026-02-05T10:00:00Z", { dimensions: { user: "usr_1" } }),
    usage("d", "calls", "7", "2026-02-15T10:00:00Z"),
    usage("e", "unpriced", "7", "2026-02-15T10:00:00Z"),
  ]);
  await world.ledger.record(two, [
    usage("a", "hops", "9", "2026-01-05T10:00:00Z"),
    usage("c", "calls", "1", "2026-01-05T10:00:00Z"),
  ]);
  await world.ledger.record(foreign, [usage("a", "hops", "1000", "2026-01-05T10:00:00Z")]);
});
afterAll(() => world.close());

const report = async (path: string, key = "one") => await world.call<UsageReport>(key, `/api/${path}`);

describe("bill lines", () => {
  test("[BIL10] line -> events -> price: a bill is proved by what anyone can read", async () => {
    const { body } = await report(`usage?${span}`);
    const { body: book } = await world.call<Page<Price>>("one", "/api/prices?limit=100");
    expect(body.lines.map(({ meter, price_id, period_start }) => [meter, price_id, period_start.slice(0, 7)])).toEqual([
      ["hops", "prc_hops", "2026-01"],
      ["calls", "prc_calls", "2026-02"],
      ["calls", "prc_calls2", "2026-02"],
      ["hops", "prc_hops", "2026-02"],
      ["unpriced", null, "2026-02"],
    ]);
    for (const line of body.lines) {
      const { body: events } = await world.call<Page<UsageEvent>>(
        "one",
        `/api/usage/events?limit=100&meter=${line.meter}&from=${line.period_start}&to=${line.period_end}${line.price_id === null ? "" : `&price_id=${line.price_id}`}`,
      );
      const quantity = events.data.reduce((sum, event) => sum.plus(event.quantity), new Big(0));
      expect([events.data.length, quantity.toFixed()]).toEqual([line.events, line.quantity]);
      expect(events.data.every((event) => event.price_id === line.price_id)).toBe(true);
      const price = book.data.find(({ id }) => id === line.price_id);
      const amount =
        price === undefined ? null : createTariff(price).amountOf({ quantity, events: new Big(events.data.length) });
      expect(amount?.toFixed() ?? null).toBe(line.amount);
      expect(amount?.round(2, Big.roundHalfEven).toFixed(2) ?? null).toBe(line.rounded_amount);
    }
    expect(body).toMatchObject({ exact_total: "5.505", total: "5.50", lines_total: "5.50", unpriced_events: 1 });
  });

  test("[BIL10] rows name the prices that made them, and what has none is not zero", async () => {
    const { body } = await report(`usage?${span}`);
    expect(
      body.data.map(({ meter, price_ids, amount, unpriced_events }) => [meter, price_ids, amount, unpriced_events]),
    ).toEqual([
      ["calls", ["prc_calls", "prc_calls2"], "3.505", 0],
      ["hops", ["prc_hops"], "2", 0],
      ["unpriced", [], null, 1],
    ]);
  });

  test("use is told apart by user", async () => {
    const { body } = await report(`usage?${span}&group_by=user&meter=hops`);
    expect(body.data.map(({ group, amount }) => [group["user"], amount])).toEqual([
      ["usr_1", "1"],
      ["usr_2", "1"],
    ]);
  });
});

describe("an organization's report", () => {
  test("[BIL6] sums all its projects, archived ones too, and no one else's", async () => {
    await sql`update project set archived_at = now() where id = ${two}`.execute(world.database.db);
    const { status, body } = await report(`organizations/org_default/usage?${span}&group_by=project&meter=hops`);
    expect(status).toBe(200);
    expect(body.data.map(({ group, quantity, amount }) => [group["project"], quantity, amount])).toEqual([
      [one, "8", "2"],
      [two, "9", "2"],
    ]);
    expect(body.lines.map(({ project_id, amount }) => [project_id, amount])).toEqual([
      [one, "1"],
      [one, "1"],
      [two, "2"],
    ]);
    const named = await report(`organizations/default/usage?${span}&group_by=project&meter=hops`);
    expect(named.body).toEqual(body);
  });

  test("[BIL6] may be narrowed to one project of its own", async () => {
    const { body } = await report(`organizations/org_default/usage?${span}&project=${two}&meter=hops`);
    expect(body.exact_total).toBe("2");
    for (const project of [world.keys["foreign"]?.projectId, "prj_none", "' or true --"])
      expect(
        await report(`organizations/org_default/usage?${span}&project=${encodeURIComponent(project ?? "")}`),
      ).toMatchObject({ status: 404, body: { error: { code: "project.not_found" } } });
  });

  test("[BIL6] of another organization, or of none, is not there; without the scope it is forbidden", async () => {
    for (const organization of ["org_other", "other", "org_none", "'%20or%20true%20--"])
      expect(await report(`organizations/${organization}/usage?${span}`)).toMatchObject({
        status: 404,
        body: { error: { code: "organization.not_found" } },
      });
    expect(await report(`organizations/org_default/usage?${span}`, "blind")).toMatchObject({
      status: 403,
      body: { error: { code: "auth.forbidden", details: { scope: "organization:usage" } } },
    });
    expect(await report(`organizations/org_default/usage?${span}`, "nobody")).toMatchObject({ status: 401 });
  });

  test("[BIL6] the operator sees any organization's", async () => {
    const service = new BillingService(world.database.db, newId);
    const operator = { ...testCaller(one), kind: "admin" as const };
    const query = organizationUsageQuery.parse({ from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z" });
    const seen = await service.organizationUsage(operator, "org_other", query);
    expect(seen).toMatchObject({ exact_total: "250", lines: [{ quantity: "1000" }] });
  });
});
