import type { Page, ProjectId, UsageEvent } from "@gristmill/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Http } from "../http/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { listEvents } from "./events.ts";
import { createMetering, type Metering } from "./index.ts";
import { eventOf, silent } from "./testing/events.ts";

let database: TestDatabase;
let metering: Metering;
let http: Http;
let mine: ProjectId;

/** Some at the same time, across two months. */
const times = [
  "2026-03-31T23:59:58Z",
  "2026-03-31T23:59:59Z",
  "2026-03-31T23:59:59Z",
  "2026-04-01T00:00:00Z",
  "2026-04-02T00:00:00Z",
];

beforeAll(async () => {
  database = await testDatabase();
  metering = createMetering({ db: database.db, now: () => new Date(), log: silent });
  mine = await insertTestProject(database.db, "mine");
  const theirs = await insertTestProject(database.db, "theirs");
  http = await testHttp(metering.routes, {
    mine: { projectId: mine },
    theirs: { projectId: theirs },
    blind: { projectId: mine, scopes: ["inference"] },
  });
  await metering.ledger.record(
    mine,
    times.map((time, number) =>
      eventOf(`event-${number}`, {
        time: new Date(time),
        admittedAt: new Date("2026-03-31T23:00:00Z"),
        requestId: number === 1 ? "req_1" : null,
        keyId: number === 2 ? "key_1" : null,
        meter: number < 3 ? "service.requests" : "training.seconds",
        quantity: number < 3 ? 1n : "60.500",
        dimensions: number < 3 ? { model: "mnist", deployment: "digits" } : { run: `run_${number}`, dataset: "mnist" },
      }),
    ),
  );
  await metering.ledger.record(theirs, [eventOf("event-0"), eventOf("their-own")]);
});
afterAll(async () => {
  await http.stop(0);
  await database.close();
});

async function list(
  query: string,
  key = "mine",
): Promise<{ status: number; page: Page<UsageEvent>; code: string | undefined }> {
  const answer = await http.app.inject({
    url: `/api/usage/events${query}`,
    headers: { authorization: `Bearer ${key}` },
  });
  const body = answer.json();
  return { status: answer.statusCode, page: body, code: body.error?.code };
}
const ids = async (query: string, key?: string) => (await list(query, key)).page.data.map((event) => event.id);

test("[MET13] events of the same time and id from several sources are each on one page", async () => {
  const project = await insertTestProject(database.db, "several sources");
  const time = new Date("2026-03-31T12:00:00Z");
  const sources = [undefined, "shop/a", "shop/b"];
  for (const source of sources)
    await metering.ledger.record(project, [
      eventOf("same id", { time, ...(source === undefined ? {} : { source, meter: "shop.orders" }) }),
    ]);
  for (const order of ["asc", "desc"] as const) {
    const found: string[] = [];
    let after: string | undefined;
    for (let more = true; more; ) {
      const query = { limit: 1, order, ...(after === undefined ? {} : { after }) };
      const page = await listEvents(database.db, project, query);
      found.push(...page.data.map((event) => event.source));
      after = page.last_id ?? "";
      more = page.has_more;
    }
    const expected = ["gristmill", "shop/a", "shop/b"];
    expect(found).toEqual(order === "asc" ? expected : expected.toReversed());
  }
});

describe("GET /api/usage/events", () => {
  test("needs a key with the scope usage:read", async () => {
    expect((await http.app.inject({ url: "/api/usage/events" })).statusCode).toBe(401);
    expect(await list("", "blind")).toMatchObject({ status: 403, code: "auth.forbidden" });
  });

  test("[MET13] shows the events of the caller's project only, newest first", async () => {
    expect(await ids("")).toEqual(["event-4", "event-3", "event-2", "event-1", "event-0"]);
    expect((await ids("", "theirs")).toSorted()).toEqual(["event-0", "their-own"]);
    expect(await list("?after=their-own")).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("shows an event as it was written", async () => {
    expect((await list("?run=run_3")).page.data).toEqual([
      {
        id: "event-3",
        object: "usage.event",
        project_id: mine,
        source: "gristmill",
        meter: "training.seconds",
        quantity: "60.500",
        time: "2026-04-01T00:00:00.000Z",
        admitted_at: "2026-03-31T23:00:00.000Z",
        request_id: null,
        key_id: null,
        price_id: null,
        dimensions: { run: "run_3", dataset: "mnist" },
      },
    ]);
  });

  test.each([
    ["from, inclusive", "?from=2026-04-01T00:00:00Z", ["event-4", "event-3"]],
    ["to, exclusive", "?to=2026-03-31T23:59:59Z", ["event-0"]],
    ["an offset", "?from=2026-04-01T02:00:00%2B02:00&to=2026-04-01T02:00:01%2B02:00", ["event-3"]],
    ["meter", "?meter=training.seconds", ["event-4", "event-3"]],
    ["request", "?request_id=req_1", ["event-1"]],
    ["key", "?key_id=key_1", ["event-2"]],
    ["deployment", "?deployment=digits", ["event-2", "event-1", "event-0"]],
    ["model", "?model=mnist&order=asc", ["event-0", "event-1", "event-2"]],
    ["dataset", "?dataset=mnist", ["event-4", "event-3"]],
    ["a meter that nobody has", "?meter=made.up", []],
    ["source", "?source=gristmill&to=2026-03-31T23:59:59Z", ["event-0"]],
    ["a source that is nowhere", "?source=shop", []],
    ["a price that is nowhere", "?price_id=prc_1", []],
    ["a value that is nowhere", "?run=%27%20or%20true%20--", []],
  ])("[MET13] is narrowed by %s", async (_, query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  test("refuses what it does not know", async () => {
    expect(await list("?meter=Not%20a%20meter")).toMatchObject({ status: 400, code: "request.invalid" });
    expect(await list("?color=red")).toMatchObject({ status: 400, code: "request.invalid" });
    expect(await list("?after=nothing")).toMatchObject({ status: 400, code: "request.invalid" });
  });

  test("[MET13] pages of any size, in both orders, are the whole list, each event once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.constantFrom("asc", "desc"), async (limit, order) => {
        const found: string[] = [];
        let after = "";
        for (let more = true; more; ) {
          const { page } = await list(`?limit=${limit}&order=${order}${after}`);
          found.push(...page.data.map((event) => event.id));
          expect([page.first_id, page.last_id]).toEqual([page.data.at(0)?.id, page.data.at(-1)?.id]);
          after = `&after=${page.last_id}`;
          more = page.has_more;
        }
        const newestFirst = await ids("");
        expect(found).toEqual(order === "asc" ? newestFirst.toReversed() : newestFirst);
      }),
      { numRuns: 15 },
    );
  });
});
