import type { ProjectId, RequestId } from "@gristmill/contract";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, type Database, withSession } from "../db/index.ts";
import { newId } from "../ids.ts";
import { testCaller, testOrganizationId } from "../testing/caller.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { DatabaseLedger } from "./database-ledger.ts";
import type { Reservation, ReservationRequest } from "./ledger.ts";
import type { PolicySources } from "./policy.ts";
import { changeRules } from "./rules.ts";
import { eventOf, openReservations, silent } from "./testing/events.ts";
import { createRoomTable, type Room, roomPolicy, setRooms, unitPrice } from "./testing/rooms.ts";

let database: TestDatabase;
let db: Database;
let project: ProjectId;
let ledger: DatabaseLedger;
let projects = 0;

const ledgerOn = (on: Database, policy: PolicySources = roomPolicy) =>
  new DatabaseLedger({ db: on, log: silent, instance: () => null, policy });

beforeAll(async () => {
  database = await testDatabase();
  db = database.db;
  await createRoomTable(db);
});
afterAll(() => database.close());
beforeEach(async () => {
  project = await insertTestProject(db, `project ${++projects}`);
  ledger = ledgerOn(db);
  await sql`delete from allowance`.execute(db);
  await sql`delete from allowance_alert`.execute(db);
  await sql`delete from rate_window`.execute(db);
  await sql`delete from reservation`.execute(db);
});

const rules = (...rooms: Room[]) => changeRules(db, (transaction) => setRooms(transaction, rooms));

/** A claim of so many images, which cost as much. */
const claimOf = (images: number | string, requestId: RequestId = newId("request")): ReservationRequest => ({
  requestId,
  organizationId: testOrganizationId,
  projectId: project,
  keyId: null,
  estimates: [{ meter: "service.images", quantity: String(images), dimensions: {} }],
});

const used = (reservation: Reservation, images: number | string, id = `${reservation.requestId}:images`) =>
  eventOf(id, { meter: "service.images", quantity: String(images), admittedAt: reservation.admittedAt });

async function stateOf(id: string): Promise<{ used: number; held: number } | undefined> {
  const { rows } = await sql<{ used: number; held: number }>`
    select used::float8 as used, held::float8 as held from allowance where id = ${id}`.execute(db);
  return rows[0];
}

async function alerts(): Promise<readonly number[]> {
  const { rows } = await sql<{ threshold: number }>`
    select threshold::float8 as threshold from allowance_alert order by number`.execute(db);
  return rows.map(({ threshold }) => threshold);
}

describe("allowances", () => {
  test("[MET15] a claim is held, what was used stays, and the rest is free again", async () => {
    await rules({ id: "budget", capacity: 100 });
    const reservation = await ledger.reserve(claimOf(60));
    expect(await stateOf("budget")).toEqual({ used: 0, held: 60 });
    await expect(ledger.reserve(claimOf(41))).rejects.toMatchObject({
      code: "budget.exceeded",
      details: { used: "0", held: "60", wanted: "41" },
    });
    await ledger.settle(reservation, [used(reservation, 25)]);
    expect(await stateOf("budget")).toEqual({ used: 25, held: 0 });
    await ledger.release(await ledger.reserve(claimOf(75)));
    await expect(ledger.reserve(claimOf(76))).rejects.toMatchObject({ details: { used: "25", held: "0" } });
    expect(await openReservations(db)).toBe(0);
  });

  test("[MET15] a claim finds room under all or takes of none", async () => {
    await rules({ id: "a", capacity: 100 }, { id: "b", capacity: 10 }, { id: "w", capacity: 5, seconds: 60 });
    await expect(ledger.reserve(claimOf(11))).rejects.toMatchObject({ code: "budget.exceeded" });
    expect(await stateOf("a")).toEqual({ used: 0, held: 0 });
    for (let n = 0; n < 5; n++) await ledger.release(await ledger.reserve(claimOf(1)));
    await expect(ledger.reserve(claimOf(1))).rejects.toMatchObject({ code: "limit.exceeded" });
    expect([await stateOf("a"), await stateOf("b")]).toEqual([
      { used: 0, held: 0 },
      { used: 0, held: 0 },
    ]);
  });

  test("[MET15] in one group, claims are served in their order, and one that is too large lets the next ones in", async () => {
    await rules({ id: "budget", capacity: 10 });
    await ledger.release(await ledger.reserve(claimOf(1))); // the rooms are there
    const first = ledger.reserve(claimOf(1)); // while it is written, the others gather
    const answers = await Promise.allSettled([4, 6, 4, 1, 1].map((images) => ledger.reserve(claimOf(images))));
    expect(answers.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "rejected",
    ]);
    await first;
    expect(await stateOf("budget")).toEqual({ used: 0, held: 10 });
  });

  test("[MET15] a repeated claim is held once, and a settlement releases and counts once", async () => {
    await rules({ id: "budget", capacity: 100 });
    const claim = claimOf(40);
    const reservation = await ledger.reserve(claim);
    expect((await ledger.reserve(claim)).admittedAt).toEqual(reservation.admittedAt);
    expect(await stateOf("budget")).toEqual({ used: 0, held: 40 });
    const both = await Promise.all([ledgerOn(db).reserve(claim), ledgerOn(db).reserve(claim)]);
    expect(both.map(({ admittedAt }) => admittedAt)).toEqual([reservation.admittedAt, reservation.admittedAt]);
    for (let n = 0; n < 3; n++) await ledger.settle(reservation, [used(reservation, 30)]);
    expect(await stateOf("budget")).toEqual({ used: 30, held: 0 });
  });

  test("[MET15] two servers that claim the same request at once hold once", async () => {
    await rules({ id: "budget", capacity: 1000 });
    const second = createDatabase(database.connection);
    try {
      const servers = [ledger, ledgerOn(second)];
      for (let round = 1; round <= 20; round++) {
        const claim = claimOf(1);
        await Promise.all(servers.map((server) => server.reserve(claim)));
        expect(await stateOf("budget")).toEqual({ used: 0, held: round });
      }
    } finally {
      await second.destroy();
    }
  });

  test("[MET1] what counts against an allowance is on disk when its settlement resolves, and so is a repeat of it", async () => {
    await rules({ id: "budget", capacity: null });
    await withSession(database.connection, async (session) => {
      const inserted = async (): Promise<string | undefined> =>
        (await session.query<{ lsn: string }>("select pg_current_wal_insert_lsn()::text as lsn")).rows[0]?.lsn;
      const isFlushedBeyond = async (lsn: string | undefined): Promise<boolean | undefined> =>
        (await session.query<{ is: boolean }>("select pg_current_wal_flush_lsn() > $1::pg_lsn as is", [lsn])).rows[0]
          ?.is;
      for (let number = 0; number < 30; number++) {
        const reservation = await ledger.reserve(claimOf(2));
        const before = await inserted();
        // Two servers settle the same: whichever comes second finds what the first may not have flushed yet.
        const settle = async (by: DatabaseLedger): Promise<void> => {
          await by.settle(reservation, [used(reservation, 1)]);
          expect(await isFlushedBeyond(before)).toBe(true);
        };
        await Promise.all([settle(ledger), settle(ledgerOn(db))]);
      }
    });
    expect(await stateOf("budget")).toEqual({ used: 30, held: 0 });
  });

  test("[MET15] an allowance without capacity counts and never refuses; corrections count down", async () => {
    await rules({ id: "soft", capacity: null });
    const reservation = await ledger.reserve(claimOf(1_000_000));
    await ledger.settle(reservation, [used(reservation, 999_999)]);
    expect(await stateOf("soft")).toEqual({ used: 999_999, held: 0 });
    await ledger.record(project, [used(reservation, -99_999, "correction"), used(reservation, 0, "gauge")]);
    expect(await stateOf("soft")).toEqual({ used: 900_000, held: 0 });
  });

  test("[MET15] any sequence of claims, settlements and releases through any server goes as one by one on paper", async () => {
    const second = createDatabase(database.connection);
    const servers = [ledger, ledgerOn(second)] as const;
    const step = fc.record({
      server: fc.nat(1),
      what: fc.constantFrom("claim", "claim", "settle", "release", "record"),
      amount: fc.nat(40),
      pick: fc.nat(100),
    });
    let runs = 0;
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 25 }),
          fc.integer({ min: 20, max: 120 }),
          async (steps, capacity) => {
            const id = `run ${++runs}`;
            await rules({ id, capacity, thresholds: [capacity / 2, capacity] });
            const model = { used: 0, held: 0 };
            const open: { reservation: Reservation; amount: number }[] = [];
            for (const { server, what, amount, pick } of steps) {
              const own = servers[server] ?? ledger;
              if (what === "claim") {
                const answer = await own.reserve(claimOf(amount)).catch((error: { code: string }) => error.code);
                if (model.used + model.held + amount > capacity) expect(answer).toBe("budget.exceeded");
                else {
                  open.push({ reservation: answer as Reservation, amount });
                  model.held += amount;
                }
              } else if (what === "record") {
                await own.record(project, [eventOf(newId("request"), { quantity: String(amount) })]);
                model.used += amount;
              } else {
                const [chosen] = open.splice(pick % Math.max(open.length, 1), 1);
                if (chosen === undefined) continue;
                const { reservation } = chosen;
                model.held -= chosen.amount;
                const spent = what === "settle" ? Math.min(amount, chosen.amount) : 0;
                if (spent > 0) await own.settle(reservation, [used(reservation, spent)]);
                else await own.release(reservation);
                model.used += spent;
              }
              expect((await stateOf(id)) ?? { used: 0, held: 0 }).toEqual(model);
            }
            for (const { reservation } of open) await ledger.release(reservation);
            expect((await stateOf(id))?.held ?? 0).toBe(0);
          },
        ),
        { numRuns: 25 },
      );
    } finally {
      await second.destroy();
    }
  });

  test("[MET16] each threshold that is reached is noted once, however use goes up and down", async () => {
    await rules({ id: "budget", capacity: 100, thresholds: [50, 80, 100] });
    const record = (id: string, quantity: string) => ledger.record(project, [eventOf(id, { quantity })]);
    await record("a", "49.999999999");
    expect(await alerts()).toEqual([]);
    await record("b", "0.000000001");
    expect(await alerts()).toEqual([50]);
    await record("b", "0.000000001"); // a repeat
    await record("c", "-20");
    await record("d", "20");
    expect(await alerts()).toEqual([50]);
    await Promise.all(
      [...Array(10).keys()].map((n) => ledgerOn(db).record(project, [eventOf(`e${n}`, { quantity: "10" })])),
    );
    expect(await alerts()).toEqual([50, 80, 100]);
  });
});

describe("windows", () => {
  test("[MET17] a window is full after so many; the refusal says when it is free again, and a count takes no claim", {
    timeout: 30_000,
  }, async () => {
    await rules({ id: "w", capacity: 3, seconds: 4 });
    const caller = testCaller(project);
    const limits = [(await ledger.reserve(claimOf(1))).limits, await ledger.count(caller), await ledger.count(caller)];
    expect(limits.map(([limit]) => limit?.remaining)).toEqual([2, 1, 0]);
    expect(limits[0]).toMatchObject([{ metric: "requests", limit: 3 }]);
    const refusal = await ledger.count(caller).catch((error: { details: { retryAfterMs: number } }) => error);
    const { retryAfterMs } = (refusal as { details: { retryAfterMs: number } }).details;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(4087);
    expect(await openReservations(db)).toBe(1);
    await expect
      .poll(
        () =>
          ledger.count(caller).then(
            () => true,
            () => false,
          ),
        { interval: 200, timeout: 15_000 },
      )
      .toBe(true);
  });

  test("[MET17] callers of one group each hear what was left for them", async () => {
    await rules({ id: "w", capacity: 10, seconds: 60 });
    const first = ledger.reserve(claimOf(1));
    const rest = await Promise.all([1, 2, 3, 4].map(() => ledger.reserve(claimOf(1))));
    expect((await first).limits[0]?.remaining).toBe(9);
    expect(rest.map(({ limits }) => limits[0]?.remaining)).toEqual([8, 7, 6, 5]);
  });

  test("[MET17] tokens that were claimed and not used come back when the request ends; its own place does not", async () => {
    await rules({ id: "t", capacity: 100, seconds: 60, metric: "tokens" }, { id: "w", capacity: 3, seconds: 60 });
    const tokens = (quantity: bigint) => [{ meter: "service.output_tokens", quantity, dimensions: {} } as const];
    const claim = (quantity: bigint) => ledger.reserve({ ...claimOf(1), estimates: tokens(quantity) });
    const first = await claim(90n);
    await expect(claim(11n)).rejects.toMatchObject({ code: "limit.exceeded", details: { remaining: 10 } });
    const event = { ...used(first, 1), meter: "service.output_tokens", quantity: 20n };
    await ledger.settle(first, [event]);
    await ledger.settle(first, [event]);
    const second = await claim(80n);
    expect(second.limits.map(({ metric, remaining }) => [metric, remaining])).toEqual([
      ["tokens", 0],
      ["requests", 1],
    ]);
    await ledger.release(second);
    expect((await claim(1n)).limits.map(({ remaining }) => remaining)).toEqual([79, 0]);
  });

  test("[MET17] running cost is no request: it waits for no window of requests", async () => {
    const seen: string[] = [];
    const policy: PolicySources = {
      prices: roomPolicy.prices,
      rules: [
        {
          load: async () => ({
            terms: (_, __, ___, ____, kind) => {
              seen.push(kind);
              return { holds: [], takes: [] };
            },
            accruals: () => [],
          }),
        },
      ],
    };
    const own = ledgerOn(db, policy);
    const estimates = [{ meter: "training.seconds", quantity: "60", dimensions: {} }];
    const claim = await own.claim({ id: "run_1:1:0", projectId: project, keyId: null, estimates });
    await own.count(testCaller(project));
    await own.settle(claim, [eventOf("run_1:1:0", { meter: "training.seconds" })]);
    expect(seen).toEqual(["cost", "free"]);
    expect(await openReservations(db)).toBe(0);
  });
});

describe("rules", () => {
  test("[MET18] a change of rules holds for every server with the next claim", async () => {
    const second = createDatabase(database.connection);
    try {
      const servers = [ledger, ledgerOn(second)];
      for (const capacity of [1, 5, 0, 2]) {
        await rules({ id: "budget", capacity });
        for (const server of servers) {
          await expect(server.reserve(claimOf(capacity + 1))).rejects.toMatchObject({ code: "budget.exceeded" });
          await server.release(await server.reserve(claimOf(capacity)));
        }
      }
      await rules();
      for (const server of servers) await server.release(await server.reserve(claimOf(1_000_000)));
    } finally {
      await second.destroy();
    }
  });

  test("[MET18] while rules change nothing is written, and what comes after is decided by the new ones", async () => {
    await rules({ id: "budget", capacity: 10 });
    const reservation = await ledger.reserve(claimOf(10));
    const order: string[] = [];
    let pending: Promise<unknown>[] = [];
    await changeRules(db, async (transaction) => {
      pending = [
        ledger.settle(reservation, [used(reservation, 10)]).then(() => order.push("settled")),
        ledger.reserve(claimOf(20)).then(() => order.push("claimed")),
      ];
      await setRooms(transaction, [{ id: "new", capacity: 1000 }]);
      await sql`select pg_sleep(0.2)`.execute(transaction);
      order.push("changed");
    });
    await Promise.all(pending);
    expect(order[0]).toBe("changed");
    expect(await stateOf("new")).toMatchObject({ used: 10, held: 20 });
    expect(await stateOf("budget")).toEqual({ used: 0, held: 0 }); // what it held was given back by what the claim had written down
  });

  test("[MET18] a change of rules that fails changes nothing", async () => {
    await rules({ id: "budget", capacity: 10 });
    const failing = changeRules(db, async (transaction) => {
      await setRooms(transaction, []);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await expect(ledger.reserve(claimOf(11))).rejects.toMatchObject({ code: "budget.exceeded" });
  });

  test("[MET18] a claim that was judged just before a period began is judged again for the period that it was admitted in", async () => {
    const boundary = new Date(Date.now() + 400);
    const dearer: PolicySources = {
      prices: {
        load: async () => ({
          bound: (_, { quantity }, at) => ({
            priceId: "p",
            amount: at < boundary ? String(quantity) : `${quantity}000`,
          }),
          costOf: (_, { quantity }) => ({ priceId: "p", amount: String(quantity) }),
        }),
      },
      rules: [
        {
          load: async () => ({
            terms: (_, __, costs, at) => ({
              holds: costs.map((cost) => ({ allowance: allowance(at), amount: cost.amount ?? "0" })),
              takes: [],
            }),
            accruals: () => [],
          }),
        },
      ],
    };
    const allowance = (at: Date) => ({
      id: at < boundary ? "before" : "after",
      capacity: "1000000",
      thresholds: [],
      refusal: () => new Error("full") as never,
    });
    // Its clock stands still just before the boundary, so that it judges all by what was.
    const late = new DatabaseLedger({
      db,
      log: silent,
      instance: () => null,
      policy: dearer,
      now: () => new Date(boundary.getTime() - 300),
    });
    await expect.poll(() => Date.now() > boundary.getTime(), { interval: 50 }).toBe(true);
    await late.reserve(claimOf(7));
    expect([await stateOf("before"), await stateOf("after")]).toEqual([
      { used: 0, held: 0 },
      { used: 0, held: 7000 },
    ]);
    expect(await openReservations(db)).toBe(1);
  });

  test("[MET18] what the rules can't judge is refused alone", async () => {
    const choosy: PolicySources = {
      prices: roomPolicy.prices,
      rules: [
        {
          load: async () => ({
            terms: (_, [estimate]) => {
              if (String(estimate?.quantity) === "13") throw new Error("no such number");
              return { holds: [], takes: [] };
            },
            accruals: () => [],
          }),
        },
      ],
    };
    const own = ledgerOn(db, choosy);
    const answers = await Promise.allSettled([12, 13, 14, 13].map((images) => own.reserve(claimOf(images))));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
    expect(await openReservations(db)).toBe(2);
  });
});

test("[MET19] sums by the hour are the sums of the events, apart by all that reports ask for, whatever is repeated", async () => {
  await rules();
  const event = fc.record({
    id: fc.nat(60),
    hour: fc.nat(3),
    meter: fc.constantFrom("service.requests", "service.images"),
    quantity: fc.integer({ min: -5, max: 50 }),
    key: fc.constantFrom(null, "key_1", "key_2"),
    model: fc.constantFrom(undefined, "a", "b"),
    color: fc.constantFrom(undefined, "red"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(event, { maxLength: 12 }), { maxLength: 6 }), async (calls) => {
      const own = await insertTestProject(db, `project ${++projects}`);
      await Promise.all(
        calls.map((events) =>
          ledger.record(
            own,
            events.map(({ id, hour, meter, quantity, key, model, color }) =>
              eventOf(`event ${id}`, {
                time: new Date(Date.UTC(2026, 4, 31, 22 + hour, 59, 59, 999)),
                meter,
                quantity: String(quantity),
                keyId: key as `key_${string}` | null,
                dimensions: { ...(model === undefined ? {} : { model }), ...(color === undefined ? {} : { color }) },
              }),
            ),
          ),
        ),
      );
      const { rows: sums } = await sql`
        select hour, meter, key_id, price_id, dimensions, events::integer, quantity, largest from usage_hour
        where project_id = ${own} order by 1, 2, 3, 5`.execute(db);
      const { rows: raw } = await sql`
        select date_trunc('hour', time, 'UTC') as hour, meter, key_id, price_id, dimensions - 'color' as dimensions,
          count(*)::integer as events, sum(quantity) as quantity, max(quantity) as largest from usage_event
        where project_id = ${own} group by 1, 2, 3, 4, 5 order by 1, 2, 3, 5`.execute(db);
      expect(sums).toEqual(raw);
      expect(sums.every((row) => (row as { price_id: string }).price_id === unitPrice)).toBe(true);
    }),
    { numRuns: 15 },
  );
});
