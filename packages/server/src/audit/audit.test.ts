import { type AuditEntry, type DeniedAccess, type Page, verifyAuditLog } from "@gristmill/contract";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withSession } from "../db/index.ts";
import { type Caller, createHttp, type Http, type Route, route } from "../http/index.ts";
import { newId } from "../ids.ts";
import { testCaller } from "../testing/caller.ts";
import { type TestDatabase, testDatabase } from "../testing/database.ts";
import { type Audit, createAudit } from "./index.ts";

const ground = { now: () => new Date(), newId, log: { info: () => {}, warn: () => {}, error: () => {} } };
let database: TestDatabase;
let audit: Audit;
let http: Http;
let caller: Caller;
let projects = 0;

beforeAll(async () => {
  database = await testDatabase();
  const { rows } = await sql<{ number: number }>`insert into server_instance default values returning number`.execute(
    database.db,
  );
  audit = createAudit({ ground, db: database.db, instance: () => rows[0]?.number ?? -1, everyMs: 20 });
  await audit.start();
  const change: Route = route({
    method: "POST",
    path: "/test/changes",
    summary: "a change",
    tag: "test",
    access: { scope: "runs:write" },
    audit: { action: "run.created" },
    charge: { free: "a test" },
    handler: async () => ({ status: 201, body: { id: newId("run") } }),
  });
  http = await createHttp({
    routes: [...audit.routes, change],
    ...ground,
    allowedHosts: [],
    authenticator: { authenticate: async () => caller },
    auditTrail: audit.trail,
    denials: audit.denials,
    ledger: {
      reserve: () => Promise.reject(new Error("these routes are free")),
      settle: () => Promise.reject(new Error("these routes are free")),
      release: () => Promise.reject(new Error("these routes are free")),
    },
  });
});
afterAll(async () => {
  await http.stop(0);
  await audit.stop();
  await database.close();
});

/** Each test has an organization, with a project, of its own. */
beforeEach(async () => {
  const organizationId = newId("organization");
  const projectId = newId("project");
  const name = `own ${++projects}`;
  await sql`insert into organization (id, name) values (${organizationId}, ${name})`.execute(database.db);
  await sql`insert into project (id, organization_id, name) values (${projectId}, ${organizationId}, ${name})`.execute(
    database.db,
  );
  caller = { ...testCaller(projectId), organizationId, keyId: newId("key") };
});

async function get<T>(url: string): Promise<{ status: number; body: T }> {
  const answer = await http.app.inject({ url });
  return { status: answer.statusCode, body: answer.json() };
}
const list = async (query = "") => (await get<Page<AuditEntry>>(`/api/audit-log?${query}`)).body;
const verification = async (query = "") =>
  (await get<Record<string, unknown>>(`/api/audit-log/verification?${query}`)).body;
async function makeChanges(count: number): Promise<void> {
  for (let made = 0; made < count; made++)
    expect((await http.app.inject({ method: "POST", url: "/test/changes" })).statusCode).toBe(201);
}
/** Does what a database's owner can: past the triggers. */
async function tamper(statement: string, values: readonly unknown[] = []): Promise<void> {
  await withSession(database.connection, async (session) => {
    await session.query("set session_replication_role = replica");
    await session.query(statement, [...values]);
  });
}

test("[AUD8] the log, its export, its verification and denied accesses need the scope audit:read, in the caller's organization", async () => {
  await makeChanges(1);
  const own = caller;
  caller = { ...own, scopes: new Set(["runs:write", "organization:read"]) };
  const urls = ["/api/audit-log", "/api/audit-log/export", "/api/audit-log/verification", "/api/denied-accesses"];
  for (const url of urls) expect((await get(url)).status).toBe(403);
  caller = { ...own, organizationId: newId("organization") };
  await sql`insert into organization (id, name) values (${caller.organizationId}, ${caller.organizationId})`.execute(
    database.db,
  );
  expect((await list()).data).toEqual([]);
  expect(await verification()).toMatchObject({ valid: true, entries: 0 });
  caller = own;
  const [entry] = (await list()).data;
  caller = { ...own, organizationId: newId("organization") };
  expect((await get(`/api/audit-log?after=${entry?.id}`)).status).toBe(400);
});

test("pages and filters find entries by number, newest first", async () => {
  await makeChanges(5);
  const first = await list("limit=2");
  expect(first.data.map(({ number }) => number)).toEqual([5, 4]);
  const second = await list(`limit=2&after=${first.last_id}`);
  expect(second.data.map(({ number }) => number)).toEqual([3, 2]);
  expect((await list(`limit=2&after=${second.last_id}`)).has_more).toBe(false);
  expect((await list("order=asc&limit=3")).data.map(({ number }) => number)).toEqual([1, 2, 3]);
  const entry = first.data[0];
  for (const query of [
    `target_id=${entry?.target_id}`,
    `request_id=${entry?.request_id}`,
    `from=${encodeURIComponent(entry?.at ?? "")}&limit=1`,
  ])
    expect((await list(query)).data.map(({ number }) => number)).toEqual([5]);
  expect((await list(`actor_id=${caller.keyId}&action=run.created&outcome=succeeded`)).data).toHaveLength(5);
  expect((await list(`project_id=${caller.projectId}`)).data).toHaveLength(5);
  for (const query of ["project_id=prj_x", "action=run.cancelled", "outcome=failed", "to=2020-01-01T00:00:00Z"])
    expect((await list(query)).data).toEqual([]);
  expect((await get("/api/audit-log?action=drop%20table")).status).toBe(400);
  expect((await get("/api/audit-log?actor_id=' or 1=1 --")).body).toMatchObject({ data: [] });
});

test("[AUD9] an export is what was written, can be checked by itself, can go on from a kept entry, and is an entry too", async () => {
  await makeChanges(3);
  const answer = await http.app.inject({ url: "/api/audit-log/export" });
  expect(answer.headers["content-type"]).toBe("application/x-ndjson; charset=utf-8");
  const lines = answer.body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const report = await verifyAuditLog(lines);
  expect(report).toMatchObject({ broken: null });
  expect(lines.slice(0, 3)).toEqual((await list("order=asc&limit=3")).data);
  expect((await list("limit=1")).data).toMatchObject([{ action: "audit_log.exported", number: 4, target_id: null }]);
  const rest = await http.app.inject({ url: "/api/audit-log/export?after_number=2" });
  const later = rest.body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(await verifyAuditLog(later, { from: { number: 2, hash: lines[1].hash } })).toMatchObject({ broken: null });
  expect((await verifyAuditLog(later)).broken).toEqual({ number: 1, fault: "number_out_of_order" });
});

test("[AUD9] verification finds every kind of change to any entry, at its number", { timeout: 60_000 }, async () => {
  await makeChanges(6);
  expect(await verification()).toMatchObject({ object: "audit.verification", valid: true, entries: 6, broken: null });
  const edits = {
    field: "update audit_entry set target_id = 'run_else' where organization_id = $1 and number = $2",
    time: "update audit_entry set at = at + interval '1 second' where organization_id = $1 and number = $2",
    details: `update audit_entry set details = '{"name":"else"}' where organization_id = $1 and number = $2`,
    actor: "update audit_entry set actor_type = 'system' where organization_id = $1 and number = $2",
    hash: "update audit_entry set hash = repeat('a', 64) where organization_id = $1 and number = $2",
    taken: "delete from audit_entry where organization_id = $1 and number = $2",
  };
  const kinds = fc.constantFrom(...(Object.keys(edits) as (keyof typeof edits)[]));
  await fc.assert(
    fc.asyncProperty(kinds, fc.integer({ min: 1, max: 6 }), async (kind, number) => {
      const { rows } = await sql<{ row: string }>`select to_jsonb(e)::text as row from audit_entry e
        where organization_id = ${caller.organizationId} and number = ${number}`.execute(database.db);
      await tamper(edits[kind], [caller.organizationId, number]);
      const found = await verification();
      await tamper("delete from audit_entry where organization_id = $1 and number = $2", [
        caller.organizationId,
        number,
      ]);
      await tamper("insert into audit_entry select * from jsonb_populate_record(null::audit_entry, $1)", [
        rows[0]?.row,
      ]);
      expect(found).toMatchObject({ valid: false, entries: number - 1, broken: { number } });
    }),
    { numRuns: 25 },
  );
  expect(await verification()).toMatchObject({ valid: true, entries: 6 });
});

test("[AUD9] an end that was cut off, entries behind the end, and a log written anew are found", async () => {
  await makeChanges(4);
  const kept = (await verification())["head"] as { number: number; hash: string };
  const { organizationId } = caller;
  await tamper("update audit_entry set number = 6 where organization_id = $1 and number = 4", [organizationId]);
  expect(await verification()).toMatchObject({ valid: false, broken: { number: 4 } });
  await tamper("update audit_entry set number = 4 where organization_id = $1 and number = 6", [organizationId]);
  await tamper(
    "update audit_chain set number = 3, hash = (select hash from audit_entry where organization_id = $1 and number = 3) where organization_id = $1",
    [organizationId],
  );
  expect(await verification()).toMatchObject({ broken: { number: 4, fault: "entries_behind_the_head" } });
  await tamper("delete from audit_entry where organization_id = $1 and number = 4", [organizationId]);
  expect(await verification()).toMatchObject({ valid: true, entries: 3 });
  expect(await verification(`number=${kept.number}&hash=${kept.hash}`)).toMatchObject({
    valid: false,
    broken: { number: 4, fault: "kept_hash_differs" },
  });
  await makeChanges(1);
  expect(await verification()).toMatchObject({ valid: true, entries: 4 });
  expect(await verification(`number=${kept.number}&hash=${kept.hash}`)).toMatchObject({ valid: false });
  expect((await get("/api/audit-log/verification?number=1")).status).toBe(400);
});

test("[AUD10] denied accesses are counted by caller, route, code and minute, and shown to the organization", async () => {
  const known = caller;
  caller = { ...known, scopes: new Set() };
  for (let knock = 0; knock < 3; knock++) await get("/api/audit-log");
  caller = known;
  const rows = async () => (await get<Page<DeniedAccess>>("/api/denied-accesses?code=auth.forbidden")).body.data;
  await expect.poll(async () => (await rows()).reduce((sum, { count }) => sum + count, 0)).toBe(3);
  expect((await rows())[0]).toMatchObject({
    object: "denied_access",
    project_id: known.projectId,
    actor_id: known.keyId,
    address: null,
    route: "GET /api/audit-log",
  });
});

test("[AUD10] accesses of nobody who is known are the operator's to see", async () => {
  await http.app.inject({ url: "/nowhere", remoteAddress: "198.51.100.4" });
  const operator = { ...caller, kind: "admin" as const };
  const seen = async () => (await get<Page<DeniedAccess>>("/api/denied-accesses?address=198.51.100.4")).body.data;
  caller = operator;
  await expect.poll(seen).toMatchObject([{ route: "GET (none)", code: "route.not_found", actor_id: null, count: 1 }]);
  caller = { ...caller, kind: "key" };
  expect(await seen()).toEqual([]);
});
