import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import OpenAI from "openai";
import type { AuditLogListParams } from "openai/resources/admin/organization/audit-logs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Audit, type AuditRecord, createAudit } from "../../audit/index.ts";
import { createHttp, type Http } from "../../http/index.ts";
import { newId } from "../../ids.ts";
import { testCaller } from "../../testing/caller.ts";
import { type TestDatabase, testDatabase } from "../../testing/database.ts";
import { auditLogRoutes } from "./audit-logs.ts";

const ground = { now: () => new Date(), newId, log: { info: () => {}, warn: () => {}, error: () => {} } };
const project: ProjectId = newId("project");
const [key, ownedKey, accountKey] = [newId("key"), newId("key"), newId("key")];
const [user, account] = [newId("user"), newId("serviceAccount")];
let organization = newId("organization");
let database: TestDatabase;
let audit: Audit;
let http: Http;
let client: OpenAI;

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  audit = createAudit({ ground, db, instance: () => null });
  await sql`insert into organization (id, name) values (${organization}, 'acme')`.execute(db);
  await sql`insert into project (id, organization_id, name) values (${project}, ${organization}, 'default')`.execute(
    db,
  );
  await sql`insert into user_account (id, email, name) values (${user}, 'ada@example.com', 'Ada')`.execute(db);
  await sql`insert into service_account (id, organization_id, name, role)
    values (${account}, ${organization}, 'robot', 'developer')`.execute(db);
  for (const [id, owner] of [[key], [ownedKey, "user_id"], [accountKey, "service_account_id"]] as const) {
    const own = owner === "user_id" ? user : owner === undefined ? null : account;
    await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes, user_id, service_account_id)
      values (${id}, ${project}, 'k', ${id}, ${Buffer.alloc(32)}, '{}', ${owner === "user_id" ? own : null},
        ${owner === "service_account_id" ? own : null})`.execute(db);
  }
  http = await createHttp({
    routes: auditLogRoutes({ log: audit.log, db }),
    ...ground,
    allowedHosts: [],
    authenticator: { authenticate: async () => ({ ...testCaller(project), organizationId: organization }) },
    ledger: {
      reserve: () => Promise.reject(new Error("these routes are free")),
      settle: () => Promise.reject(new Error("these routes are free")),
      release: () => Promise.reject(new Error("these routes are free")),
    },
  });
  const port = await http.listen("127.0.0.1", 0);
  client = new OpenAI({ apiKey: "k", adminAPIKey: "k", baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  await http.stop(0);
  await database.close();
});
beforeEach(async () => {
  organization = newId("organization");
  await sql`insert into organization (id, name) values (${organization}, ${organization})`.execute(database.db);
  await sql`update project set organization_id = ${organization} where id = ${project}`.execute(database.db);
});

const told = (action: AuditRecord["action"], more: Partial<AuditRecord> = {}): Promise<void> =>
  audit.record({
    organizationId: organization,
    projectId: project,
    action,
    actor: { type: "key", id: key },
    outcome: "succeeded",
    address: "203.0.113.9",
    ...more,
  });
const list = async (query: AuditLogListParams = {}) => (await client.admin.organization.auditLogs.list(query)).data;

test("OpenAI's client reads our entries as its own types, newest first, page by page", async () => {
  for (let number = 0; number < 7; number++) await told("project.created", { targetId: `prj_${number}` });
  const page = await client.admin.organization.auditLogs.list({ limit: 3 });
  expect(page.data.map((entry) => entry["project.created"]?.id)).toEqual(["prj_6", "prj_5", "prj_4"]);
  const all: unknown[] = [];
  for await (const entry of client.admin.organization.auditLogs.list({ limit: 3 }))
    all.push(entry["project.created"]?.id);
  expect(all).toEqual([6, 5, 4, 3, 2, 1, 0].map((number) => `prj_${number}`));
  const last = page.data[2]?.id ?? "";
  const before = await list({ before: last, limit: 1 });
  expect(before.map((entry) => entry["project.created"]?.id)).toEqual(["prj_5"]);
  await expect(list({ after: "aud_else" })).rejects.toMatchObject({ status: 400, code: "request.invalid" });
});

test("every action that OpenAI has a type for is told by it, with its payload", async () => {
  await told("api_key.created", { targetId: "key_1", details: { scopes: ["inference"], name: "k" } });
  await told("api_key.rotated", { targetId: "key_1" });
  await told("invitation.sent", { targetId: "inv_1", details: { email: "eve@example.com", role: "viewer" } });
  await told("member.updated", { targetId: "usr_1", details: { role: "owner" } });
  await told("limit.created", { targetId: "lim_1", details: { metric: "requests_per_minute", value: 60 } });
  await told("login.succeeded");
  await told("login.failed", { outcome: "failed", errorCode: "auth.invalid" });
  await told("organization.updated", { targetId: organization, details: { display_name: "Acme" } });
  const entries = (await list()).toReversed().map((entry) => [entry.type, entry[entry.type as "api_key.created"]]);
  expect(entries).toEqual([
    ["api_key.created", { id: "key_1", data: { scopes: ["inference"] } }],
    ["api_key.updated", { id: "key_1", changes_requested: {} }],
    ["invite.sent", { id: "inv_1", data: { email: "eve@example.com", role: "member" } }],
    ["user.updated", { id: "usr_1", changes_requested: { role: "owner" } }],
    ["rate_limit.updated", { id: "lim_1", changes_requested: { max_requests_per_1_minute: 60 } }],
    ["login.succeeded", {}],
    ["login.failed", { error_code: "auth.invalid", error_message: "The login was refused." }],
    ["organization.updated", { id: organization, changes_requested: { title: "Acme" } }],
  ]);
});

test("what OpenAI has no type for, and what was refused, is in our own log only", async () => {
  await told("dataset.created", { targetId: "dst_1" });
  await told("project.created", { outcome: "failed", status: 409 });
  expect(await list()).toEqual([]);
  expect(await audit.log.find(organization, {}, { limit: 10, order: "asc" })).toHaveLength(2);
});

test("actors are sessions and keys, with their users and service accounts", async () => {
  await told("project.created", { actor: { type: "user", id: user } });
  await told("project.created", { actor: { type: "key", id: ownedKey } });
  await told("project.created", { actor: { type: "key", id: accountKey } });
  await told("project.created", { actor: { type: "key", id: key } });
  await told("project.created", { actor: { type: "admin_key", id: null } });
  await told("project.created", { actor: { type: "system", id: null } });
  await told("login.failed", { actor: { type: "anonymous", id: null }, details: { email: "eve@example.com" } });
  const ada = { id: user, email: "ada@example.com" };
  expect((await list()).toReversed().map(({ actor }) => actor)).toEqual([
    { type: "session", session: { user: ada, ip_address: "203.0.113.9" } },
    { type: "api_key", api_key: { id: ownedKey, type: "user", user: ada } },
    { type: "api_key", api_key: { id: accountKey, type: "service_account", service_account: { id: account } } },
    { type: "api_key", api_key: { id: key, type: "service_account" } },
    { type: "api_key", api_key: { id: "admin_key", type: "service_account" } },
    null,
    { type: "session", session: { user: { email: "eve@example.com" }, ip_address: "203.0.113.9" } },
  ]);
  expect((await list())[0]?.project).toEqual({ id: project, name: "default" });
});

test("filters are OpenAI's, as its client writes them", async () => {
  await told("project.created", { targetId: "prj_a", actor: { type: "user", id: user } });
  await told("project.archived", { targetId: "prj_b" });
  const now = (await list())[0]?.effective_at ?? 0;
  const idsOf = async (query: AuditLogListParams) =>
    (await list(query)).map((entry) => entry["project.created"]?.id ?? entry["project.archived"]?.id);
  expect(await idsOf({ event_types: ["project.created"] })).toEqual(["prj_a"]);
  expect(await idsOf({ event_types: ["project.created", "project.archived"] })).toEqual(["prj_b", "prj_a"]);
  expect(await idsOf({ event_types: ["tunnel.created"] })).toEqual([]);
  expect(await idsOf({ actor_ids: [key] })).toEqual(["prj_b"]);
  expect(await idsOf({ actor_emails: ["Ada@example.com", "eve@example.com"] })).toEqual(["prj_a"]);
  expect(await idsOf({ actor_emails: ["ada@example.com"], actor_ids: [key] })).toEqual([]);
  expect(await idsOf({ resource_ids: ["prj_b"] })).toEqual(["prj_b"]);
  expect(await idsOf({ project_ids: [project] })).toEqual(["prj_b", "prj_a"]);
  expect(await idsOf({ project_ids: ["prj_else"] })).toEqual([]);
  expect(await idsOf({ effective_at: { gt: now + 1 } })).toEqual([]);
  expect(await idsOf({ effective_at: { gte: now - 60, lte: now } })).toEqual(["prj_b", "prj_a"]);
  expect(await idsOf({ effective_at: { gte: now - 60, lt: now - 59 } })).toEqual([]);
  expect(await idsOf({ effective_at: { gt: now } })).toEqual([]);
});
