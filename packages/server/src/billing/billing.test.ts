import type { Page, Price, ProjectId, UsageReport } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Http } from "../http/index.ts";
import { changeRules, createMetering, type Ledger, type UsageRecord } from "../metering/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { createBilling } from "./index.ts";

let database: TestDatabase;
let ledger: Ledger;
let http: Http;
let project: ProjectId;
let projects = 0;
const keys: Record<string, { projectId: ProjectId; scopes?: ["admin", "usage:read"] | ["inference"] }> = {};

beforeAll(async () => {
  database = await testDatabase();
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const billing = createBilling({ db: database.db });
  const policy = { prices: billing.prices, rules: [] };
  ledger = createMetering({ db: database.db, now: () => new Date(), log, policy }).ledger;
  http = await testHttp(billing.routes, keys);
});
afterAll(async () => {
  await http.stop(0);
  await database.close();
});
beforeEach(async () => {
  project = await insertTestProject(database.db, `project ${++projects}`);
  keys["reader"] = { projectId: project };
  keys["operator"] = { projectId: project, scopes: ["admin", "usage:read"] };
  keys["blind"] = { projectId: project, scopes: ["inference"] };
});

interface Failure {
  readonly error: { readonly code: string; readonly details: Record<string, unknown> };
}

async function call<T>(key: string, url: string, body?: unknown): Promise<{ status: number; body: T & Failure }> {
  const answer = await http.app.inject({
    method: body === undefined ? "GET" : "POST",
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { payload: body as object }),
  });
  return { status: answer.statusCode, body: answer.json() };
}
const report = async (query: string, key = "reader") => (await call<UsageReport>(key, `/api/usage?${query}`)).body;
const addPrice = (price: object) => call<Price>("operator", "/api/prices", price);

const event = (id: string, time: string, more: Partial<UsageRecord> = {}): UsageRecord => ({
  id,
  meter: "training.seconds",
  quantity: "1",
  time: new Date(time),
  admittedAt: new Date(time),
  requestId: null,
  keyId: null,
  dimensions: {},
  ...more,
});

/** The history of prices as it lies in the database: the API writes only the future. */
async function pastPrice(
  id: string,
  amount: string,
  from: string,
  more: { meter?: string; model?: string } = {},
): Promise<void> {
  await changeRules(database.db, (transaction) =>
    sql`insert into price (id, meter, model, amount, currency, effective_from) values
      (${id}, ${more.meter ?? "training.seconds"}, ${more.model ?? null}, ${amount}, 'USD', ${from})`.execute(
      transaction,
    ),
  );
}

describe("prices", () => {
  test("a reader sees them, an operator adds them, nobody else does either", async () => {
    expect((await http.app.inject({ url: "/api/prices" })).statusCode).toBe(401);
    expect(await call("blind", "/api/prices")).toMatchObject({
      status: 403,
      body: { error: { code: "auth.forbidden" } },
    });
    expect(await call("reader", "/api/prices", { meter: "service.images", amount: "1" })).toMatchObject({
      status: 403,
    });
  });

  test("[BIL6] the first price book prices every meter, in one currency", async () => {
    const { body } = await call<Page<Price>>("reader", "/api/prices?order=asc&limit=5");
    expect(
      body.data.map(({ meter, model, hardware, amount, currency, effective_to }) => [
        meter,
        model,
        hardware,
        amount,
        currency,
        effective_to,
      ]),
    ).toEqual([
      ["data.bytes_processed", null, null, "0.00000000001", "USD", null],
      ["training.seconds", null, null, "0.00005", "USD", null],
      ["deployment.replica_seconds", null, null, "0.00002", "USD", null],
      ["service.requests", null, null, "0.000001", "USD", null],
      ["service.images", null, null, "0.00001", "USD", null],
    ]);
  });

  test("[BIL1] a price from now on ends the one before it, and neither overlaps nor leaves a gap", async () => {
    const price = { meter: "service.images", model: "chained", amount: "0.5" };
    const first = await addPrice(price);
    expect(first).toMatchObject({
      status: 201,
      body: { object: "price", hardware: null, amount: "0.5", effective_to: null },
    });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const second = await addPrice({ ...price, amount: "0.75", effective_from: later });
    expect(second).toMatchObject({ status: 201, body: { effective_from: later } });
    const { body } = await call<Page<Price>>("reader", "/api/prices?limit=2");
    expect(body.data.map(({ id, effective_to }) => [id, effective_to])).toEqual([
      [second.body.id, null],
      [first.body.id, second.body.effective_from],
    ]);
  });

  test("[BIL1] a price never begins in the past, nor at or before the last of its kind", async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const price = { meter: "service.images", model: "ordered", amount: "1" };
    expect(await addPrice({ ...price, effective_from: "2026-01-01T00:00:00Z" })).toMatchObject({
      status: 409,
      body: { error: { code: "price.conflict" } },
    });
    const planned = await addPrice({ ...price, effective_from: soon });
    expect(planned.status).toBe(201);
    for (const again of [{ ...price, effective_from: soon }, price])
      expect(await addPrice(again)).toMatchObject({
        status: 409,
        body: { error: { details: { price: planned.body.id } } },
      });
    expect((await addPrice({ ...price, hardware: "cpu-2", effective_from: soon })).status).toBe(201);
  });

  test("[BIL1] of operators who add one price at the same time, each is told what became of theirs", async () => {
    const price = {
      meter: "service.images",
      model: "raced",
      effective_from: new Date(Date.now() + 60_000).toISOString(),
    };
    const answers = await Promise.all(["1", "2", "3", "4"].map((amount) => addPrice({ ...price, amount })));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409, 409, 409]);
  });

  test.each(["-1", "1e3", "0.0000000000000001", "1.", "", "1,5"])("an amount of %j is refused", async (amount) => {
    expect(await addPrice({ meter: "service.images", amount })).toMatchObject({
      status: 400,
      body: { error: { code: "request.invalid" } },
    });
  });

  test("[BIL1] prices are never changed", async () => {
    for (const statement of ["update price set amount = 0", "delete from price", "truncate price"])
      await expect(sql.raw(statement).execute(database.db)).rejects.toThrow(/rows of price are never changed/);
  });

  test("pages go through the whole book", async () => {
    const all = await call<Page<Price>>("reader", "/api/prices?limit=100");
    const found: string[] = [];
    for (let after = "", more = true; more; ) {
      const { body } = await call<Page<Price>>("reader", `/api/prices?limit=2${after}`);
      found.push(...body.data.map((each) => each.id));
      after = `&after=${body.last_id}`;
      more = body.has_more;
    }
    expect(found).toEqual(all.body.data.map((each) => each.id));
    expect(await call("reader", "/api/prices?after=prc_unknown")).toMatchObject({ status: 400 });
  });
});

describe("usage", () => {
  test("needs a key with the scope usage:read", async () => {
    expect((await http.app.inject({ url: "/api/usage" })).statusCode).toBe(401);
    expect(await call("blind", "/api/usage")).toMatchObject({ status: 403 });
  });

  test("by default the last 30 days by meter, priced by the first book", async () => {
    const now = new Date();
    await ledger.record(project, [
      event("import", now.toISOString(), {
        meter: "data.bytes_processed",
        quantity: 54_950_048n,
        dimensions: { dataset: "mnist" },
      }),
      event("run", now.toISOString(), { quantity: "61.5", dimensions: { hardware: "cpu-2" } }),
      event("old", new Date(now.getTime() - 31 * 86_400_000).toISOString()),
    ]);
    const answer = await report(`to=${new Date(now.getTime() + 1000).toISOString()}`);
    expect(answer).toMatchObject({ object: "usage", currency: "USD", total: "0.00", unpriced_events: 0 });
    expect(new Date(answer.to).getTime() - new Date(answer.from).getTime()).toBe(30 * 86_400_000);
    expect(answer.data).toMatchObject([
      {
        meter: "data.bytes_processed",
        unit: "byte",
        group: { meter: "data.bytes_processed" },
        events: 1,
        quantity: "54950048",
        amount: "0.00054950048",
      },
      { meter: "training.seconds", unit: "second", events: 1, quantity: "61.5", amount: "0.003075" },
    ]);
  });

  test("[BIL6] shows the caller's project only", async () => {
    const other = await insertTestProject(database.db, `project ${++projects}`);
    keys["other"] = { projectId: other };
    await ledger.record(other, [event("theirs", "2026-01-01T00:00:00Z")]);
    const span = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z";
    expect((await report(span)).data).toEqual([]);
    expect((await report(span, "other")).data).toHaveLength(1);
  });

  test("[BIL5] windows are cut to the span, and an event belongs to the window of its time", async () => {
    await ledger.record(project, [
      event("before", "2026-06-30T23:59:59.999Z"),
      event("first", "2026-07-01T10:30:00Z"),
      event("second", "2026-07-02T00:00:00Z", { admittedAt: new Date("2026-07-01T23:59:59Z") }),
      event("after", "2026-07-02T12:00:00Z"),
    ]);
    const answer = await report("from=2026-07-01T10:00:00Z&to=2026-07-02T12:00:00Z&window=day&group_by=");
    expect(
      answer.data.map(({ window_start, window_end, group, events }) => [window_start, window_end, group, events]),
    ).toEqual([
      ["2026-07-01T10:00:00.000Z", "2026-07-02T00:00:00.000Z", {}, 1],
      ["2026-07-02T00:00:00.000Z", "2026-07-02T12:00:00.000Z", {}, 1],
    ]);
    const months = await report("from=2026-06-01T00:00:00Z&to=2026-08-01T00:00:00Z&window=month");
    expect(months.data.map(({ window_end, events }) => [window_end, events])).toEqual([
      ["2026-07-01T00:00:00.000Z", 1],
      ["2026-08-01T00:00:00.000Z", 3],
    ]);
  });

  test("groups by what was asked for; what an event lacks is null", async () => {
    await ledger.record(project, [
      event("a", "2026-01-01T00:00:00Z", {
        keyId: "key_1",
        dimensions: { run: "run_1", dataset: "mnist", hardware: "cpu-2" },
      }),
      event("b", "2026-01-01T00:00:00Z", { dimensions: { model: "digits", deployment: "dep_1" } }),
    ]);
    const span = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
    const groups = async (by: string) => (await report(`${span}&group_by=${by}`)).data.map((row) => row.group);
    expect(await groups("key,run")).toEqual([
      { key: "key_1", run: "run_1" },
      { key: null, run: null },
    ]);
    expect(await groups("hardware,dataset,hardware")).toEqual([
      { hardware: "cpu-2", dataset: "mnist" },
      { hardware: null, dataset: null },
    ]);
    expect(await groups("model,deployment")).toEqual([
      { model: "digits", deployment: "dep_1" },
      { model: null, deployment: null },
    ]);
    expect((await report(`${span}&meter=service.images`)).data).toEqual([]);
  });

  test("[BIL2] [BIL4] each event is priced at its admission; before the first price it has none, which is not zero", async () => {
    await pastPrice("prc_past1", "2", "2020-06-01T00:00:00Z", { meter: "service.requests", model: "priced" });
    await pastPrice("prc_past2", "3", "2020-07-01T00:00:00Z", { meter: "service.requests", model: "priced" });
    const record = (day: string) => {
      const request = (name: string, admitted: string) =>
        event(`${name} ${day}`, `2020-08-${day}T00:00:00Z`, {
          meter: "service.requests",
          admittedAt: new Date(admitted),
          dimensions: { model: "priced" },
        });
      return ledger.record(project, [
        request("default", "2020-05-31T23:59:59.999Z"),
        request("first", "2020-06-01T00:00:00Z"),
        request("still", "2020-06-30T23:59:59.999Z"),
        request("second", "2020-07-01T00:00:00Z"),
      ]);
    };
    await record("01");
    const first = "from=2020-08-01T00:00:00Z&to=2020-08-02T00:00:00Z";
    expect(await report(first)).toMatchObject({ data: [{ events: 4, amount: "7.000001" }], total: "7.00" });

    // A meter that lost its price has none: as in a book that begins later than its first event.
    const begins = (time: string) =>
      changeRules(database.db, (transaction) =>
        sql`update price set effective_from = ${time} where meter = 'service.requests' and model is null`.execute(
          transaction,
        ),
      );
    await sql`alter table price disable trigger price_is_append_only`.execute(database.db);
    await begins("2020-06-15");
    await record("02");
    expect(await report("from=2020-08-02T00:00:00Z&to=2020-08-03T00:00:00Z")).toMatchObject({
      data: [{ events: 4, amount: null, unpriced_events: 1 }],
      total: "7.00",
      unpriced_events: 1,
    });
    // What was priced when it was written stays so.
    expect(await report(first)).toMatchObject({ data: [{ events: 4, amount: "7.000001" }], total: "7.00" });
    await begins("2000-01-01");
    await sql`alter table price enable trigger price_is_append_only`.execute(database.db);
  });

  test.each([
    ["an empty span", "from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z"],
    ["a span backwards", "from=2026-01-03T00:00:00Z&to=2026-01-02T00:00:00Z"],
    ["more windows than a report holds", "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&window=minute"],
    ["an unknown group", "group_by=color"],
    ["an unknown window", "window=week"],
    ["no time", "from=yesterday"],
  ])("refuses %s", async (_, query) => {
    expect(await call("reader", `/api/usage?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: "request.invalid" } },
    });
  });

  test("[BIL3] for any history and any price changes, windows, groups and splits of the span change no amount", async () => {
    for (const [month, amount] of [
      ["03", "0.0000333"],
      ["05", "0.00000000007"],
      ["08", "123.45678901234"],
    ] as const)
      await pastPrice(`prc_property${month}`, amount, `2021-${month}-15T12:34:56.789Z`, { model: "a" });
    const day = fc
      .integer({ min: 0, max: 364 })
      .map((days) => new Date(Date.UTC(2021, 0, 1) + days * 86_400_000 + 45_296_789));
    const use = fc.record({
      time: day,
      admittedAt: day,
      model: fc.constantFrom("a", "b"),
      hardware: fc.constantFrom("cpu-1", "cpu-2"),
      quantity: fc
        .tuple(fc.nat(1_000_000), fc.integer({ min: 1, max: 999_999_999 }))
        .map(([whole, part]) => `${whole}.${String(part).padStart(9, "0")}`),
    });
    const window = fc.constantFrom("", "&window=day", "&window=month");
    const groups = fc.subarray(["model", "hardware", "run"]).map((names) => `&group_by=${names.join(",")}`);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(use, { minLength: 1, maxLength: 30 }),
        window,
        groups,
        day,
        async (uses, by, into, cut) => {
          const run = `${projects}-${++runs}`;
          const own = await insertTestProject(database.db, `property ${run}`);
          keys[run] = { projectId: own };
          await ledger.record(
            own,
            uses.map(({ model, hardware, ...rest }, number) =>
              event(`${run}:${number}`, "2021-01-01T00:00:00Z", { ...rest, dimensions: { model, hardware } }),
            ),
          );
          const whole = await report("from=2021-01-01T00:00:00Z&to=2022-01-01T00:00:00Z&group_by=", run);
          const divided = await report(`from=2021-01-01T00:00:00Z&to=2022-01-01T00:00:00Z${by}${into}`, run);
          expect(divided.total).toBe(whole.total);
          expect(exact(divided)).toBe(exact(whole));
          expect(divided.data.reduce((count, row) => count + row.events, 0)).toBe(uses.length);
          const parts = await Promise.all([
            report(`from=2021-01-01T00:00:00Z&to=${cut.toISOString()}${by}${into}`, run),
            report(`from=${cut.toISOString()}&to=2022-01-01T00:00:00Z${by}${into}`, run),
          ]);
          expect(new Big(exact(parts[0])).plus(exact(parts[1])).toFixed()).toBe(exact(whole));
        },
      ),
      { numRuns: 25 },
    );
  });
});

/** The sum of a report's amounts, unrounded. */
const exact = (answer: UsageReport): string =>
  answer.data.reduce((amount, row) => amount.plus(row.amount ?? Number.NaN), new Big(0)).toFixed();
