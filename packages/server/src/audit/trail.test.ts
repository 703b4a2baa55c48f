import { Readable } from "node:stream";
import { AppError, type ProjectId, type RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDatabase, withSession } from "../db/index.ts";
import type { Answer, Change } from "../http/index.ts";
import { newId } from "../ids.ts";
import { testCaller, testOrganizationId } from "../testing/caller.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { type Audit, createAudit } from "./index.ts";
import { wholeLog } from "./testing/chained.ts";

const ground = { now: () => new Date(), newId, log: { info: () => {}, warn: () => {}, error: () => {} } };
let database: TestDatabase;
let project: ProjectId;
let audit: Audit;
let instance: number;

beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  instance = await liveServer();
  audit = createAudit({ ground, db: database.db, instance: () => instance });
});
afterEach(async () => {
  await audit.stop();
  await database.close();
});

/** A row that says that a server lives. */
async function liveServer(): Promise<number> {
  const { rows } = await sql<{ number: number }>`insert into server_instance default values returning number`.execute(
    database.db,
  );
  return rows[0]?.number ?? -1;
}

const change = (more: Partial<Change> = {}): Change => ({
  action: "run.created",
  caller: testCaller(project),
  requestId: newId("request"),
  path: "/api/runs",
  body: { name: "r", model: "m", token: "secret-1" },
  address: "203.0.113.9",
  ...more,
});
const made = (id: string) => async (): Promise<Answer> => ({ status: 202, body: { id } });
const entries = () => wholeLog(audit.log, testOrganizationId);
const pendings = async (): Promise<number> => {
  const { rows } = await sql<{ n: number }>`select count(*)::integer as n from audit_pending`.execute(database.db);
  return rows[0]?.n ?? -1;
};

test("[AUD1] [AUD3] a change is noted before it is made, and entered before it is answered, without its secrets", async () => {
  const asked = change();
  await audit.trail.around(asked, async () => {
    expect([await pendings(), (await entries()).length]).toEqual([1, 0]);
    return { status: 202, body: { id: "run_1" } };
  });
  expect(await pendings()).toBe(0);
  expect(await entries()).toMatchObject([
    {
      number: 1,
      action: "run.created",
      outcome: "succeeded",
      status: 202,
      error_code: null,
      actor: { type: "key", id: null },
      project_id: project,
      target_id: "run_1",
      path: "/api/runs",
      address: "203.0.113.9",
      request_id: asked.requestId,
      details: { name: "r", model: "m", other_fields: ["token"] },
    },
  ]);
});

test("[AUD1] a change that failed is entered with its code and what it was about, and its failure is told", async () => {
  const id = newId("deployment");
  const asked = change({ action: "deployment.deleted", path: `/api/deployments/${id}`, body: undefined });
  const failure = new AppError("deployment.stopping", "no");
  await expect(audit.trail.around(asked, () => Promise.reject(failure))).rejects.toBe(failure);
  await expect(audit.trail.around(change(), () => Promise.reject(new TypeError("x")))).rejects.toThrow(TypeError);
  await audit.trail.around(change(), async () => ({ status: 400, body: {} }));
  expect(await entries()).toMatchObject([
    { outcome: "failed", status: 409, error_code: "deployment.stopping", target_id: id },
    { outcome: "failed", status: 500, error_code: "internal", target_id: null },
    { outcome: "failed", status: 400, error_code: null },
  ]);
});

test("[AUD2] changes of several servers at once have numbers without gaps in one chain, each organization its own", async () => {
  const other = newId("organization");
  await sql`insert into organization (id, name) values (${other}, 'other')`.execute(database.db);
  const pools = [createDatabase(database.connection), createDatabase(database.connection)];
  try {
    const trails = await Promise.all(
      pools.map(async (db) => {
        const number = await liveServer();
        return createAudit({ ground, db, instance: () => number }).trail;
      }),
    );
    const caller = { ...testCaller(project), organizationId: other };
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const asked = change(index % 3 === 0 ? { caller } : {});
        return trails[index % 2]?.around(asked, made(`run_${index}`));
      }),
    );
  } finally {
    for (const pool of pools) await pool.destroy();
  }
  expect((await entries()).map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  expect(await wholeLog(audit.log, other)).toHaveLength(20);
});

test("[AUD4] a change of a server that died is entered as unknown by the next", async () => {
  const dead = await liveServer();
  const db = createDatabase(database.connection);
  const died = createAudit({ ground, db, instance: () => dead });
  const asked = change();
  let isReached = false;
  const never = died.trail.around(asked, () => {
    isReached = true;
    return new Promise<Answer>(() => {});
  });
  void never;
  await expect.poll(() => isReached).toBe(true);
  await audit.start();
  expect(await entries()).toEqual([]);
  await sql`delete from server_instance where number = ${dead}`.execute(database.db);
  await audit.stop();
  expect(await entries()).toMatchObject([{ outcome: "unknown", status: null, request_id: asked.requestId }]);
  await db.destroy();
});

test("[AUD4] a server that was taken for dead enters the truth after the unknown", async () => {
  const asked = change();
  await audit.trail.around(asked, async () => {
    await sql`delete from server_instance where number = ${instance}`.execute(database.db);
    const second = await liveServer();
    const other = createAudit({ ground, db: database.db, instance: () => second });
    await other.start();
    await other.stop();
    expect(await entries()).toMatchObject([{ outcome: "unknown" }]);
    return { body: { id: "run_1" } };
  });
  expect(await entries()).toMatchObject([
    { outcome: "unknown", request_id: asked.requestId },
    { outcome: "succeeded", request_id: asked.requestId, target_id: "run_1" },
  ]);
});

test("[AUD5] without its database no change is made; one that was made meanwhile is not answered, and entered later", async () => {
  const nowhere = createDatabase({ host: "/nonexistent", user: "x", database: "x" });
  const away = createAudit({ ground, db: nowhere, instance: () => instance });
  let isMade = false;
  const make = async (): Promise<Answer> => {
    isMade = true;
    return { body: {} };
  };
  await expect(away.trail.around(change(), make)).rejects.toMatchObject({ code: "database.unavailable" });
  expect(isMade).toBe(false);
  await nowhere.destroy();

  const body = Readable.from(["x"]);
  await withSession(database.connection, async (admin) => {
    const asked = change();
    const answering = audit.trail.around(asked, async () => {
      await admin.query("alter table audit_pending rename to audit_pending_away");
      return { body };
    });
    await expect(answering).rejects.toThrow();
    expect(body.destroyed).toBe(true);
    await admin.query("alter table audit_pending_away rename to audit_pending");
    expect(await pendings()).toBe(1);
    await audit.start();
    expect(await entries()).toMatchObject([{ outcome: "succeeded", request_id: asked.requestId, status: 200 }]);
    expect(await pendings()).toBe(0);
  });
});

test("[AUD6] a feature enters its own changes in the transaction that makes them: both are there, or neither", async () => {
  const { db } = database;
  const told = {
    organizationId: testOrganizationId,
    action: "login.failed" as const,
    actor: { type: "anonymous" as const, id: null },
    outcome: "failed" as const,
    errorCode: "auth.invalid",
    details: { email: `a\0b\uD800@example.com${"x".repeat(600)}` },
  };
  await expect(
    db.transaction().execute(async (transaction) => {
      await audit.record(told, transaction);
      throw new Error("not after all");
    }),
  ).rejects.toThrow("not after all");
  expect(await entries()).toEqual([]);
  await db.transaction().execute((transaction) => audit.record(told, transaction));
  await audit.record(told);
  const [first, second] = await entries();
  expect(first).toMatchObject({ outcome: "failed", error_code: "auth.invalid", request_id: null, project_id: null });
  expect(first?.details["email"]).toMatch(/^a\uFFFDb\uFFFD@example\.comx+$/);
  expect(second?.number).toBe(2);
});

test("[AUD7] entries, and chains but by the next entry, can't be changed in the database", async () => {
  await audit.trail.around(change({ requestId: "req_1" as RequestId }), made("run_1"));
  for (const statement of [
    "update audit_entry set action = 'x'",
    "delete from audit_entry",
    "truncate audit_entry",
    "delete from audit_chain",
    "update audit_chain set number = 0",
    "update audit_chain set hash = repeat('0', 64)",
    "truncate audit_chain cascade",
  ])
    await expect(sql.raw(statement).execute(database.db)).rejects.toThrow(/never changed|only grows/);
});
