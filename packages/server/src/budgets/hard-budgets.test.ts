/** @file The promise of hard budgets, with real prices, three servers, and everything at once. */

import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type KeyId, type ProjectId } from "@gristmill/contract";
import Big from "big.js";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spendOf } from "../billing/index.ts";
import type { Http } from "../http/index.ts";
import { newId } from "../ids.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { eventOf, reserve, type TestPlatform, testPlatform } from "./testing/platform.ts";

let database: TestDatabase;
let servers: readonly TestPlatform[];
let http: Http;

beforeAll(async () => {
  database = await testDatabase();
  // PostgreSQL itself notes whatever goes beyond, and how a budget began: no moment is missed.
  await sql`create table beyond (id text, total numeric, at_its_beginning boolean)`.execute(database.db);
  await sql`
    create function note_beyond() returns trigger language plpgsql as $$
    begin
      insert into beyond select budget.id, new.used + new.held, budget.xmin = pg_current_xact_id()::xid from budget
      where budget.id = split_part(new.id, ':', 1) and hard and new.used + new.held > amount
        and (tg_op = 'INSERT' or new.used + new.held > old.used + old.held);
      return null;
    end $$`.execute(database.db);
  await sql`create trigger note_beyond after insert or update on allowance
    for each row execute function note_beyond()`.execute(database.db);
  // Prices of all kinds: for each unit, in packages, in tiers that get cheaper, in tiers that get dearer, with a minimum.
  const charges = {
    "service.audio_seconds": { type: "package", size: "60", amount: "0.07" },
    "service.characters": {
      type: "graduated",
      tiers: [
        { up_to: "100", unit: "0.01", flat: "0.2" },
        { up_to: null, unit: "0.004", flat: "0" },
      ],
    },
    "service.input_tokens": {
      type: "volume",
      tiers: [
        { up_to: "200", unit: "0.003", flat: "0" },
        { up_to: null, unit: "0.005", flat: "0.5" },
      ],
    },
  };
  for (const [meter, charge] of Object.entries(charges))
    await sql`insert into price (id, meter, charge, free, currency, effective_from)
              values (${newId("price")}, ${meter}, ${JSON.stringify(charge)}::jsonb, 10, 'USD', '2020-01-01T00:00:00Z')`.execute(
      database.db,
    );
  await sql`insert into price (id, meter, amount, currency, effective_from)
            values (${newId("price")}, 'service.images', 0.013, 'USD', '2020-01-01T00:00:00Z')`.execute(database.db);
  servers = [await testPlatform(database.db), await testPlatform(database.db), await testPlatform(database.db)];
  const projectId = await insertTestProject(database.db, "owner");
  http = await testHttp(servers[0]?.budgets.routes ?? [], { owner: { projectId } });
});
afterAll(async () => {
  await http.stop(0);
  for (const server of servers) await server.stop();
  await database.close();
});

const headers = { authorization: "Bearer owner" };
const meters = ["service.images", "service.audio_seconds", "service.characters", "service.input_tokens"] as const;

/** One request: on which server, for how much, how much of that it uses, and when it is done. */
const request = fc.record({
  server: fc.nat(2),
  meter: fc.constantFrom(...meters),
  claimed: fc.integer({ min: 1, max: 120 }),
  share: fc.integer({ min: 0, max: 100 }),
  byKey: fc.boolean(),
  waitMs: fc.nat(6),
  /** Lost: the answer was never sent, so it is settled twice, or released. */
  repeats: fc.integer({ min: 1, max: 3 }),
});
const plan = fc.record({
  requests: fc.array(request, { minLength: 20, maxLength: 60 }),
  cents: fc.integer({ min: 20, max: 500 }),
  keyCents: fc.integer({ min: 20, max: 500 }),
  /** After how many requests have begun the budgets are made. */
  madeAfter: fc.nat(15),
});

async function createBudget(subject: object, cents: number): Promise<string> {
  const payload = { name: "hard", subject, amount: (cents / 100).toFixed(2), period: "month", hard: true };
  const answer = await http.app.inject({ method: "POST", url: "/api/budgets", headers, payload });
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json().id;
}

async function insertKey(projectId: ProjectId): Promise<KeyId> {
  const id = newId("key");
  await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes)
            values (${id}, ${projectId}, 'k', ${id}, sha256('x'), '{inference}')`.execute(database.db);
  return id;
}

async function perform(
  wish: { projectId: ProjectId; keyId: KeyId } & (typeof request extends fc.Arbitrary<infer R> ? R : never),
) {
  const platform = servers[wish.server] as TestPlatform;
  const { projectId, keyId, byKey, meter, claimed, share, waitMs, repeats } = wish;
  const by = { projectId, ...(byKey ? { keyId } : {}), meter };
  try {
    const reservation = await reserve(platform, { ...by, quantity: claimed });
    await sleep(waitMs);
    const used = Math.floor((claimed * share) / 100);
    const { ledger } = platform.metering;
    for (let times = 0; times < repeats; times++)
      await (used === 0
        ? ledger.release(reservation)
        : ledger.settle(reservation, [eventOf(reservation, { ...by, quantity: used })]));
  } catch (error) {
    if (!(error instanceof AppError && error.code === "budget.exceeded")) throw error;
  }
}

describe("[BUD1] [BUD3] [BUD6] hard budgets", () => {
  it("are never passed, whatever is asked of three servers at once, and nothing stays reserved", {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ requests, cents, keyCents, madeAfter }) => {
        const { db } = database;
        const projectId = await insertTestProject(db, newId("project"));
        const keyId = await insertKey(projectId);
        const done: Promise<void>[] = [];
        let budgets: readonly string[] = [];
        for (const [index, wish] of requests.entries()) {
          if (index === Math.min(madeAfter, requests.length - 1))
            budgets = await Promise.all([
              createBudget({ type: "project", id: projectId }, cents),
              createBudget({ type: "key", id: keyId }, keyCents),
            ]);
          done.push(perform({ ...wish, projectId, keyId }));
          if (wish.waitMs === 0) await sleep(1);
        }
        await Promise.all(done);

        const spans = { from: new Date("2020-01-01Z"), to: new Date("2100-01-01Z") };
        // What billing rates; of a key it is a share of the project's month, which the use of others moves.
        const ofProject = new Big((await spendOf(db, { ...spans, projectIds: [projectId] })).amount);
        for (const [index, id] of budgets.entries()) {
          const shown = (await http.app.inject({ url: `/api/budgets/${id}`, headers })).json();
          expect(shown.reserved).toBe("0");
          // What was spent or under way when the budget was made may be more than it allows; nothing may be added to it.
          const { rows } = await sql<{ start: string; later: number }>`
            select coalesce(max(total) filter (where at_its_beginning), 0)::text as start,
              count(*) filter (where not at_its_beginning)::integer as later
            from beyond where id = ${id}`.execute(db);
          const [{ start, later } = { start: "0", later: -1 }] = rows;
          expect(later).toBe(0);
          const most = new Big(start).gt(shown.amount) ? new Big(start) : new Big(shown.amount);
          expect(new Big(shown.spent).lte(most), `${shown.spent} counted, ${most} at most`).toBe(true);
          if (index === 0) expect(ofProject.lte(shown.spent), `${ofProject} spent, ${shown.spent} counted`).toBe(true);
          if (madeAfter === 0) expect(start).toBe("0");
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });
});
