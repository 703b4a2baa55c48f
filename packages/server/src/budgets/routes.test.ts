import type { Budget, CreateBudget, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Http } from "../http/index.ts";
import { newId } from "../ids.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { type TestPlatform, testPlatform } from "./testing/platform.ts";

let database: TestDatabase;
let platform: TestPlatform;
let http: Http;
let project: ProjectId;
let other: ProjectId;

beforeAll(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  other = await insertTestProject(database.db, "other");
  platform = await testPlatform(database.db);
  http = await testHttp(platform.budgets.routes, {
    owner: { projectId: project },
    member: { projectId: project, scopes: ["budgets:read"] },
    stranger: { projectId: other, scopes: ["budgets:read"] },
    nobody: { projectId: project, scopes: ["inference"] },
  });
});
afterAll(async () => {
  await http.stop(0);
  await platform.stop();
  await database.close();
});

type Method = "GET" | "POST" | "PATCH" | "DELETE";
const call = (method: Method, url: string, payload?: object, key = "owner") =>
  http.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(payload === undefined ? {} : { payload }),
  });

async function create(more: Partial<CreateBudget> = {}): Promise<Budget> {
  const input = { name: "prod", subject: { type: "project", id: project }, amount: "3", period: "month", ...more };
  const answer = await call("POST", "/api/budgets", input);
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json();
}

async function insertKey(projectId: ProjectId) {
  const id = newId("key");
  await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes)
            values (${id}, ${projectId}, 'k', ${id}, sha256('x'), '{inference}')`.execute(database.db);
  return id;
}

describe("[BUD7] one's own", () => {
  it("a project's callers see its budgets and its keys' alone; who sees the organization sees all", async () => {
    const key = await insertKey(project);
    const [ofProject, ofKey, ofOrganization, ofOther] = [
      await create(),
      await create({ subject: { type: "key", id: key } }),
      await create({ subject: { type: "organization", id: "org_default" } }),
      await create({ subject: { type: "project", id: other } }),
    ];
    const seen = async (who: string) => {
      const { data } = (await call("GET", "/api/budgets?order=asc", undefined, who)).json();
      const shown = await Promise.all(
        [ofProject, ofKey, ofOrganization, ofOther].map(({ id }) => call("GET", `/api/budgets/${id}`, undefined, who)),
      );
      return [data.map(({ id }: Budget) => id), shown.map(({ statusCode }) => statusCode)];
    };
    expect(await seen("owner")).toEqual([
      [ofProject.id, ofKey.id, ofOrganization.id, ofOther.id],
      [200, 200, 200, 200],
    ]);
    expect(await seen("member")).toEqual([
      [ofProject.id, ofKey.id],
      [200, 200, 404, 404],
    ]);
    expect(await seen("stranger")).toEqual([[ofOther.id], [404, 404, 404, 200]]);
    for (const [method, url] of [
      ["GET", "/api/budgets"],
      ["GET", `/api/budgets/${ofProject.id}`],
    ] as const)
      expect((await call(method, url, undefined, "nobody")).statusCode).toBe(403);
    for (const [method, url] of [
      ["POST", "/api/budgets"],
      ["PATCH", `/api/budgets/${ofProject.id}`],
      ["DELETE", `/api/budgets/${ofProject.id}`],
    ] as const)
      expect((await call(method, url, {}, "member")).statusCode).toBe(403);
    const filtered = (await call("GET", `/api/budgets?subject_type=key&subject_id=${key}`)).json();
    expect(filtered.data.map(({ id }: Budget) => id)).toEqual([ofKey.id]);
  });

  it("subjects and receivers of another organization are refused, and its budgets can't be reached", async () => {
    await sql`insert into organization (id, name) values ('org_2', 'second')`.execute(database.db);
    await sql`insert into project (id, organization_id, name) values ('prj_2', 'org_2', 'p')`.execute(database.db);
    const theirs = await insertKey("prj_2");
    for (const subject of [
      { type: "organization", id: "org_2" },
      { type: "project", id: "prj_2" },
      { type: "key", id: theirs },
      { type: "project", id: theirs },
      { type: "key", id: "key_none" },
      { type: "project", id: "' or true --" },
    ]) {
      const answer = await call("POST", "/api/budgets", { name: "x", subject, amount: "1", period: "day" });
      expect([answer.statusCode, answer.json().error.code]).toEqual([400, "request.invalid"]);
    }
    await sql`insert into budget (id, organization_id, name, subject_type, subject_id, amount, currency, period, hard, thresholds, emails, webhooks)
              values ('bud_2', 'org_2', 'x', 'project', 'prj_2', 1, 'USD', 'day', true, '{}', '{}', '{}')`.execute(
      database.db,
    );
    for (const [method, payload] of [
      ["GET", undefined],
      ["PATCH", { amount: "2" }],
      ["DELETE", undefined],
    ] as const)
      expect((await call(method, "/api/budgets/bud_2", payload)).statusCode).toBe(404);
    const webhooks = ["whk_theirs"];
    const refused = await call("POST", "/api/budgets", {
      name: "x",
      subject: { type: "project", id: project },
      amount: "1",
      period: "day",
      notify: { emails: [], webhooks },
    });
    expect(refused.json().error.message).toContain("whk_theirs");
  });

  it.each([
    { amount: "-1" },
    { amount: "0" },
    { amount: "0.000" },
    { amount: "NaN" },
    { amount: "Infinity" },
    { amount: "1e3" },
    { amount: "1234567890123" },
    { amount: 5 },
    { amount: "1,5" },
    { period: "year" },
    { currency: "EUR" },
    { hard: "yes" },
    { thresholds: [0] },
    { thresholds: [Number.MAX_SAFE_INTEGER] },
    { thresholds: Array.from({ length: 11 }, (_, index) => index + 1) },
    { notify: { emails: ["a@example.com\r\nBcc: eve@evil.example"], webhooks: [] } },
    { notify: { emails: ["a@example.com,eve@evil.example"], webhooks: [] } },
    { notify: { emails: ["Eve <eve@evil.example>"], webhooks: [] } },
    { notify: { emails: Array.from({ length: 21 }, (_, index) => `a${index}@example.com`), webhooks: [] } },
    { name: "x\r\nBcc: eve@evil.example" },
    { name: "" },
    { organization_id: "org_2" },
    { spent: "0" },
  ])("%j makes no budget", async (wrong) => {
    const payload = { name: "x", subject: { type: "project", id: project }, amount: "1", period: "day", ...wrong };
    const answer = await call("POST", "/api/budgets", payload);
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, "request.invalid"]);
  });
});
