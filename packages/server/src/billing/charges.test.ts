import type { Price, UsageReport } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changeRules, correctionDimension } from "../metering/index.ts";
import { spendOf } from "./index.ts";
import { decimals, terms, termsOfAnyKind } from "./testing/prices.ts";
import { type BillingWorld, openBilling, usage } from "./testing/world.ts";

let world: BillingWorld;
beforeAll(async () => {
  world = await openBilling();
  const projectId = await world.project("operator's");
  world.keys["operator"] = { projectId, scopes: ["admin", "usage:read"] };
});
afterAll(() => world.close());

const addPrice = (price: object) => world.call<Price>("operator", "/api/prices", price);
const report = async (key: string, query: string) => (await world.call<UsageReport>(key, `/api/usage?${query}`)).body;

const tiers = [
  { up_to: "1000", unit: "0.01", flat: "0" },
  { up_to: null, unit: "0.002", flat: "5" },
];

describe("prices of every charge", () => {
  test.each([
    { type: "per_unit", amount: "0.25" },
    { type: "flat", amount: "0.25" },
    { type: "package", size: "1000", amount: "2" },
    { type: "graduated", tiers },
    { type: "volume", tiers },
    { type: "percentage", rate: "0.029", fixed: "0.3" },
  ])("[BIL7] $type is kept as it was said", async (charge) => {
    const price = { meter: "rides", model: charge.type, charge, free: "10", minimum: "1", maximum: "500.5" };
    const added = await addPrice(price);
    expect(added).toMatchObject({
      status: 201,
      body: { ...price, hardware: null, amount: charge.type === "per_unit" ? "0.25" : null, currency: "USD" },
    });
    const { body } = await world.call<{ data: Price[] }>("operator", "/api/prices?limit=1");
    expect(body.data[0]).toEqual(added.body);
  });

  test("[BIL7] an amount is the short form of a charge for each unit", async () => {
    const { body } = await addPrice({ meter: "service.output_tokens", model: "short", amount: "0.000002" });
    expect(body).toMatchObject({
      amount: "0.000002",
      charge: { type: "per_unit", amount: "0.000002" },
      free: "0",
      minimum: null,
      maximum: null,
    });
  });

  const graduated = (of: object[]) => ({ charge: { type: "graduated", tiers: of } });
  test.each([
    ["an amount and a charge", { amount: "1", charge: { type: "flat", amount: "1" } }],
    ["neither an amount nor a charge", {}],
    ["a charge of no type", { charge: { type: "barter", amount: "1" } }],
    ["a field of another charge", { charge: { type: "flat", amount: "1", size: "3" } }],
    ["a package of nothing", { charge: { type: "package", size: "0.000", amount: "1" } }],
    ["no tiers", graduated([])],
    ["a last tier that ends", graduated([{ up_to: "1", unit: "1" }])],
    ["a tier without end before the last", graduated([{ up_to: null }, { up_to: null }])],
    ["tiers that fall", graduated([{ up_to: "10" }, { up_to: "9.5" }, { up_to: null }])],
    ["tiers that stand", graduated([{ up_to: "10" }, { up_to: "10.0" }, { up_to: null }])],
    ["tiers that only look as if they rose", graduated([{ up_to: "10" }, { up_to: "9" }, { up_to: null }])],
    ["too many tiers", graduated([...Array.from({ length: 50 }, (_, n) => ({ up_to: `${n + 1}` })), { up_to: null }])],
    ["a negative amount", { charge: { type: "flat", amount: "-1" } }],
    ["a number for an amount", { amount: 1 }],
    ["no number for an amount", { amount: "NaN" }],
    ["more than the maximum as the minimum", { amount: "1", minimum: "10", maximum: "9.99" }],
    ["a meter that only looks like the platform's", { meter: "service.imagez", amount: "1" }],
    ["a meter that has no name", { meter: "Rides; drop table price", amount: "1" }],
    ["a currency of one's own", { amount: "1", currency: "EUR" }],
  ])("[BIL7] %s is refused", async (_, price) => {
    expect(await addPrice({ meter: "rides", ...price })).toMatchObject({
      status: 400,
      body: { error: { code: "request.invalid" } },
    });
  });
});

describe("use by charges that depend on the month", () => {
  test("[BIL3] [BIL7] a report of any part of a month costs what the part adds to it", async () => {
    const project = await world.project("graduated");
    await world.pastPrice("prc_graduated", "miles", terms({ type: "graduated", tiers }));
    await world.ledger.record(project, [
      usage("a", "miles", "600", "2026-01-10T10:00:00Z", { key: "key_a" }),
      usage("b", "miles", "600", "2026-01-20T10:30:00Z", { key: "key_b" }),
      usage("c", "miles", "300", "2026-01-20T10:40:00Z", { key: "key_a" }),
      usage("d", "miles", "500", "2026-02-01T00:00:00Z", { key: "key_a" }),
    ]);
    const whole = await report("graduated", "from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z");
    // 1000 at 0.01, 5 for the second tier, 500 at 0.002; February begins anew.
    expect(whole).toMatchObject({ exact_total: "21", total: "21.00", lines_total: "21.00", unpriced_events: 0 });
    expect(whole.lines).toEqual([
      {
        project_id: project,
        meter: "miles",
        unit: "",
        price_id: "prc_graduated",
        period_start: "2026-01-01T00:00:00.000Z",
        period_end: "2026-02-01T00:00:00.000Z",
        events: 3,
        quantity: "1500",
        amount: "16",
        rounded_amount: "16.00",
      },
      expect.objectContaining({ period_start: "2026-02-01T00:00:00.000Z", quantity: "500", amount: "5" }),
    ]);
    const days = await report("graduated", "from=2026-01-15T00:00:00Z&to=2026-02-15T00:00:00Z&window=day&group_by=key");
    expect(
      days.data.map(({ window_start, group, amount }) => [window_start.slice(0, 10), group["key"], amount]),
    ).toEqual([
      // 10 together: 400 more at 0.01, the second tier's 5, 500 at 0.002; shared by 300 and 600.
      ["2026-01-20", "key_a", "3.333333333333333333333333"],
      ["2026-01-20", "key_b", "6.666666666666666666666667"],
      ["2026-02-01", "key_a", "5"],
    ]);
    expect(days.exact_total).toBe("15");
  });

  test("[BIL9] what is taken back is taken back from the price, events of a flat charge too", async () => {
    const project = await world.project("taken_back");
    await world.pastPrice("prc_flat", "trips", terms({ type: "flat", amount: "2" }));
    await world.pastPrice("prc_miles", "legs", terms({ type: "graduated", tiers }));
    const back = (id: string, meter: string, quantity: string, how: "whole" | "part") =>
      usage(id, meter, quantity, "2026-01-10T10:00:00Z", { dimensions: { [correctionDimension]: how } });
    await world.ledger.record(project, [
      usage("a", "trips", "3", "2026-01-10T10:00:00Z"),
      usage("b", "trips", "4", "2026-01-10T10:00:00Z"),
      { ...back("a back", "trips", "-3", "whole"), rollUpBy: [correctionDimension] },
      { ...back("b less", "trips", "-1", "part"), rollUpBy: [correctionDimension] },
      usage("c", "legs", "1500", "2026-01-10T10:00:00Z"),
      { ...back("c less", "legs", "-500", "part"), rollUpBy: [correctionDimension] },
    ]);
    for (const span of [
      "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z",
      "from=2026-01-10T09:59:00Z&to=2026-01-10T10:01:00Z",
    ])
      expect(
        (await report("taken_back", span)).data.map(({ meter, quantity, amount }) => [meter, quantity, amount]),
      ).toEqual([
        ["legs", "1000", "10"],
        ["trips", "3", "2"],
      ]);
  });

  test("[BIL3] [BIL7] for any terms and any history, splits, windows and groups change no amount; spend is the same", async () => {
    const anyTime = fc.nat(59 * 24 * 60).map((minutes) => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000));
    const use = fc.record({
      time: anyTime,
      key: fc.constantFrom("key_a", "key_b"),
      run: fc.constantFrom("run_a", "run_b"),
      quantity: decimals(300),
    });
    const windows = fc.constantFrom("", "&window=hour", "&window=day", "&window=month");
    const groups = fc.subarray(["key", "run"]).map((names) => `&group_by=${names.join(",")}`);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        termsOfAnyKind,
        fc.array(use, { minLength: 1, maxLength: 20 }),
        windows,
        groups,
        anyTime,
        async (of, uses, window, by, cut) => {
          const name = `run_${++runs}`;
          const project = await world.project(name);
          await world.pastPrice(`prc_${name}`, name, of);
          await world.ledger.record(
            project,
            uses.map(({ time, key, run, quantity }, number) =>
              usage(`${number}`, name, quantity, time.toISOString(), { key, dimensions: { run } }),
            ),
          );
          const [from, to] = ["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"];
          const whole = await report(name, `from=${from}&to=${to}&group_by=`);
          const divided = await report(name, `from=${from}&to=${to}${window}${by}`);
          expect(divided).toMatchObject({ total: whole.total, exact_total: whole.exact_total, lines: whole.lines });
          expect(add(divided.data.map((row) => row.amount))).toBe(whole.exact_total);
          expect(add(divided.lines.map((line) => line.amount))).toBe(whole.exact_total);
          expect(new Big(add(divided.lines.map((line) => line.rounded_amount))).toFixed(2)).toBe(whole.lines_total);
          const parts = [];
          if (cut > new Date(from)) parts.push(await report(name, `from=${from}&to=${cut.toISOString()}${by}`));
          if (cut < new Date(to)) parts.push(await report(name, `from=${cut.toISOString()}&to=${to}${window}${by}`));
          expect(add(parts.map((part) => part.exact_total))).toBe(whole.exact_total);

          const span = { from: new Date(from), to: new Date(to), projectIds: [project] };
          const spend = await spendOf(world.database.db, span);
          expect(spend).toEqual({ amount: whole.exact_total, unpricedEvents: 0 });
          const shares = await Promise.all(
            (["key_a", "key_b"] as const).map((key) => spendOf(world.database.db, { ...span, keyIds: [key] })),
          );
          const together = new Big(add(shares.map((share) => share.amount)));
          expect(together.minus(spend.amount).abs().lte("1e-20")).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);

  test("spend is what the transaction sees", async () => {
    const project = await world.project("in_a_change");
    await world.pastPrice("prc_change", "loads", terms({ type: "package", size: "10", amount: "3" }));
    await world.ledger.record(project, [usage("a", "loads", "11", "2026-01-10T10:00:00Z")]);
    const span = { from: new Date("2026-01-01"), to: new Date("2026-02-01"), projectIds: [project] };
    const spend = await changeRules(world.database.db, (transaction) => spendOf(transaction, span));
    expect(spend).toEqual({ amount: "6", unpricedEvents: 0 });
  });
});

const add = (amounts: readonly (string | null)[]): string =>
  amounts.reduce((sum, amount) => sum.plus(amount ?? Number.NaN), new Big(0)).toFixed();
