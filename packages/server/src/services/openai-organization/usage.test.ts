import {
  type OpenaiUsageKind,
  openaiCostsResult,
  openaiUsagePage,
  openaiUsageQueries,
  openaiUsageResults,
  type ProjectId,
  type Scope,
} from "@gristmill/contract";
import { sql } from "kysely";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBilling } from "../../billing/index.ts";
import type { Http } from "../../http/index.ts";
import { createMetering, type Ledger, type UsageRecord } from "../../metering/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../../testing/database.ts";
import { testHttp } from "../../testing/test-http.ts";
import { costsRoutes } from "./costs.ts";
import { usageRoutes } from "./usage.ts";

const now = new Date("2026-03-03T12:00:00Z");
const seconds = (text: string): number => Date.parse(text) / 1000;
const start_time = seconds("2026-03-01T00:00:00Z");

let database: TestDatabase;
let ledger: Ledger;
let http: Http;
let port: number;
let one: ProjectId;
let two: ProjectId;
let foreign: ProjectId;
const keys: Record<string, { projectId: ProjectId; scopes?: readonly Scope[] }> = {};

const event = (
  id: string,
  meter: string,
  quantity: string,
  time: string,
  dimensions: Record<string, string>,
  key?: string,
): UsageRecord => ({
  id,
  meter,
  quantity,
  time: new Date(time),
  admittedAt: new Date(time),
  requestId: null,
  keyId: (key ?? null) as UsageRecord["keyId"],
  dimensions,
});

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  one = await insertTestProject(db, "one");
  two = await insertTestProject(db, "two");
  foreign = await insertTestProject(db, "foreign");
  await sql`insert into organization (id, name) values ('org_other', 'other')`.execute(db);
  await sql`update project set organization_id = 'org_other' where id = ${foreign}`.execute(db);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const { prices } = createBilling({ db });
  ({ ledger } = createMetering({ db, now: () => new Date(), log, policy: { prices, rules: [] } }));
  http = await testHttp([...usageRoutes({ db, now: () => now }), ...costsRoutes({ db, now: () => now })], keys);
  port = await http.listen("127.0.0.1", 0);
  keys["officer"] = { projectId: one };
  keys["worker"] = { projectId: one, scopes: ["usage:read"] };

  const chat = { service: "chat-completions", deployment: "talker", model: "llama", user: "usr_1" };
  const first = "2026-03-01T10:00:00Z";
  await ledger.record(one, [
    event("a1", "service.requests", "2", first, chat, "key_1"),
    event("a2", "service.input_tokens", "70", first, chat, "key_1"),
    event("a3", "service.cached_input_tokens", "30", first, chat, "key_1"),
    event("a4", "service.output_tokens", "40", first, chat, "key_1"),
    event("a5", "service.reasoning_tokens", "5", first, chat, "key_1"),
    event("b1", "service.requests", "1", "2026-03-01T23:59:59.999Z", { ...chat, deployment: "writer" }, "key_2"),
    event("b2", "service.input_tokens", "1000", "2026-03-01T23:59:59.999Z", { ...chat, deployment: "writer" }, "key_2"),
    event("c1", "service.requests", "1", "2026-03-03T00:00:00Z", { service: "embeddings", deployment: "vectors" }),
    event("c2", "service.input_tokens", "8", "2026-03-03T00:00:00Z", { service: "embeddings", deployment: "vectors" }),
    event("t1", "training.seconds", "60", first, { hardware: "cpu-2" }),
  ]);
  await ledger.record(two, [
    event("d1", "service.requests", "4", first, { service: "image-classification", deployment: "digits" }),
    event("d2", "service.images", "4", first, { service: "image-classification", deployment: "digits" }),
    event("d3", "service.images", "2", first, { service: "image-generation", deployment: "painter" }),
    event("e1", "service.input_tokens", "11", first, chat),
    event("f1", "service.characters", "12", first, { service: "speech", deployment: "speaker" }),
    event("f2", "service.audio_seconds", "61.5", first, { service: "transcription", deployment: "hearer" }),
    event("g1", "data.byte_hours", "48000", first, { service: "vector-store" }),
    event("h1", "service.requests", "3", first, { service: "code-interpreter" }),
    event("h2", "service.requests", "5", first, { service: "web-search", deployment: "talker" }),
    event("h3", "service.requests", "6", first, { service: "file-search" }),
    event("m1", "service.input_tokens", "9", first, { service: "moderations", deployment: "judge" }),
  ]);
  await ledger.record(foreign, [event("x1", "service.input_tokens", "999999", first, chat, "key_1")]);
});
afterAll(async () => {
  await http.stop(0);
  await database.close();
});

/** OpenAI's own client, as an administrator uses it. */
const client = (key = "officer") =>
  new OpenAI({ adminAPIKey: key, baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 }).admin.organization.usage;

const noNames = { project_id: null, user_id: null, api_key_id: null, model: null };

describe("usage, by OpenAI's client", () => {
  test("[OAI1] [OAI2] completions: buckets of a day, sums in OpenAI's words, no one else's use", async () => {
    const page = await client().completions({ start_time });
    expect(page).toEqual({
      object: "page",
      data: [
        {
          object: "bucket",
          start_time,
          end_time: start_time + 86_400,
          results: [
            {
              object: "organization.usage.completions.result",
              input_tokens: 1111,
              input_cached_tokens: 30,
              input_uncached_tokens: 1081,
              output_tokens: 45,
              num_model_requests: 3,
              ...noNames,
              batch: null,
              service_tier: null,
            },
          ],
        },
        { object: "bucket", start_time: start_time + 86_400, end_time: start_time + 2 * 86_400, results: [] },
        { object: "bucket", start_time: start_time + 2 * 86_400, end_time: start_time + 3 * 86_400, results: [] },
      ],
      has_more: false,
      next_page: null,
    });
  });

  test("[OAI2] groups name what they are grouped by, and nothing else", async () => {
    const { data } = await client().completions({
      start_time,
      limit: 1,
      group_by: ["project_id", "api_key_id", "model", "user_id", "batch"],
    });
    expect(data[0]?.results).toMatchObject(
      [
        { project_id: one, api_key_id: "key_1", model: "talker", input_tokens: 100, num_model_requests: 2 },
        { project_id: one, api_key_id: "key_2", model: "writer", input_tokens: 1000, num_model_requests: 1 },
        { project_id: two, api_key_id: null, model: "talker", input_tokens: 11, num_model_requests: 0 },
      ].map((result) => ({ ...result, user_id: "usr_1", batch: false, service_tier: null })),
    );
  });

  test("[OAI1] [OAI2] filters narrow by project, key, model, user and batch", async () => {
    const tokens = async (filter: object) =>
      (await client().completions({ start_time, limit: 1, ...filter })).data[0]?.results.map((result) =>
        "input_tokens" in result ? result.input_tokens : undefined,
      );
    expect(await tokens({ project_ids: [two] })).toEqual([11]);
    expect(await tokens({ project_ids: [one, two] })).toEqual([1111]);
    expect(await tokens({ project_ids: [foreign] })).toEqual([]);
    expect(await tokens({ api_key_ids: ["key_1"] })).toEqual([100]);
    expect(await tokens({ models: ["writer", "nobody"] })).toEqual([1000]);
    expect(await tokens({ user_ids: ["usr_1"] })).toEqual([1111]);
    expect(await tokens({ user_ids: ["usr_2"] })).toEqual([]);
    expect(await tokens({ batch: false })).toEqual([1111]);
    expect(await tokens({ batch: true })).toEqual([]);
  });

  test("[OAI3] pages follow each other by their cursor", async () => {
    const found: number[] = [];
    let page: string | undefined;
    do {
      const answer = await client().completions({ start_time, limit: 2, ...(page === undefined ? {} : { page }) });
      found.push(...answer.data.map((bucket) => bucket.start_time));
      expect(answer.has_more).toBe(answer.next_page !== null);
      page = answer.next_page ?? undefined;
    } while (page !== undefined);
    expect(found).toEqual([0, 1, 2].map((day) => start_time + day * 86_400));
  });

  test("[OAI3] buckets may be hours and minutes", async () => {
    const hours = await client().completions({
      start_time: seconds("2026-03-01T09:00:00Z"),
      end_time: seconds("2026-03-01T11:00:00Z"),
      bucket_width: "1h",
    });
    expect(hours.data.map(({ results }) => results.length)).toEqual([0, 1]);
    const minutes = await client().completions({
      start_time: seconds("2026-03-01T23:58:00Z"),
      end_time: seconds("2026-03-02T00:00:00Z"),
      bucket_width: "1m",
    });
    expect(minutes.data.map(({ results }) => results.length)).toEqual([0, 1]);
  });

  test("[OAI4] each other kind has its own shape", async () => {
    const usage = client();
    const span = { start_time, limit: 1 };
    const of = async (page: Promise<{ data: readonly { results: readonly object[] }[] }>) =>
      (await page).data[0]?.results;
    expect(await of(usage.embeddings({ ...span, start_time: start_time + 2 * 86_400 }))).toEqual([
      { object: "organization.usage.embeddings.result", input_tokens: 8, num_model_requests: 1, ...noNames },
    ]);
    expect(await of(usage.moderations(span))).toEqual([
      { object: "organization.usage.moderations.result", input_tokens: 9, num_model_requests: 0, ...noNames },
    ]);
    expect(await of(usage.audioSpeeches(span))).toEqual([
      { object: "organization.usage.audio_speeches.result", characters: 12, num_model_requests: 0, ...noNames },
    ]);
    expect(await of(usage.audioTranscriptions(span))).toEqual([
      { object: "organization.usage.audio_transcriptions.result", seconds: 62, num_model_requests: 0, ...noNames },
    ]);
    expect(await of(usage.vectorStores(span))).toEqual([
      { object: "organization.usage.vector_stores.result", usage_bytes: 2000, project_id: null },
    ]);
    expect(await of(usage.codeInterpreterSessions({ ...span, group_by: ["project_id"] }))).toEqual([
      { object: "organization.usage.code_interpreter_sessions.result", num_sessions: 3, project_id: two },
    ]);
    expect(await of(usage.webSearchCalls(span))).toEqual([
      {
        object: "organization.usage.web_searches.result",
        num_requests: 5,
        num_model_requests: 5,
        ...noNames,
        context_level: null,
      },
    ]);
    const { model: _, ...withoutModel } = noNames;
    expect(await of(usage.fileSearchCalls(span))).toEqual([
      { object: "organization.usage.file_searches.result", num_requests: 6, ...withoutModel, vector_store_id: null },
    ]);
  });

  test("[OAI4] images say how they came about", async () => {
    const { data } = await client().images({ start_time, limit: 1, group_by: ["source", "model"] });
    expect(data[0]?.results).toMatchObject([
      { model: "digits", source: null, images: 4, num_model_requests: 4 },
      { model: "painter", source: "image.generation", images: 2, num_model_requests: 0 },
    ]);
    const made = await client().images({ start_time, limit: 1, sources: ["image.generation"] });
    expect(made.data[0]?.results).toMatchObject([{ images: 2, source: null }]);
    const sized = await client().images({ start_time, limit: 1, sizes: ["512x512"] });
    expect(sized.data[0]?.results).toEqual([]);
  });

  test("[OAI2] every answer has the shape that the document promises, by lists of either form", async () => {
    for (const kind of Object.keys(openaiUsageQueries) as OpenaiUsageKind[]) {
      const answer = await http.app.inject({
        url: `/v1/organization/usage/${kind}?start_time=${start_time}&group_by=project_id&project_ids=${two}&project_ids=${one}`,
        headers: { authorization: "Bearer officer" },
      });
      expect(answer.statusCode).toBe(200);
      const result = openaiUsageResults[kind].strict();
      expect(() => openaiUsagePage(result).strict().parse(answer.json())).not.toThrow();
    }
    const costs = await client().costs({ start_time });
    expect(() => openaiUsagePage(openaiCostsResult.strict()).strict().parse(costs)).not.toThrow();
  });
});

describe("costs, by OpenAI's client", () => {
  test("[OAI5] a day's costs are one number, or one for each group with its quantity", async () => {
    const { data } = await client().costs({ start_time, limit: 1 });
    // 1081 + 9 tokens read at 2e-7, 30 at 5e-8, 45 written at 8e-7, 60 s of training at 5e-5, 21 requests at 1e-6, 6 images
    // at 1e-5, 12 characters at 4e-6, 61.5 s of sound at 1e-4, 48,000 byte-hours at 4e-14.
    expect(data[0]?.results).toEqual([
      {
        object: "organization.costs.result",
        amount: { value: 0.00953450192, currency: "usd" },
        line_item: null,
        project_id: null,
        api_key_id: null,
        quantity: null,
        quantity_unit: null,
      },
    ]);
    const lines = await client().costs({
      start_time,
      limit: 1,
      group_by: ["line_item", "project_id"],
      project_ids: [one],
    });
    expect(
      lines.data[0]?.results.map(
        (result) =>
          "line_item" in result && [result.line_item, result.amount?.value, result.quantity, result.quantity_unit],
      ),
    ).toEqual([
      ["service.cached_input_tokens", 0.0000015, 30, "tokens"],
      ["service.input_tokens", 0.000214, 1070, "tokens"],
      ["service.output_tokens", 0.000032, 40, "tokens"],
      ["service.reasoning_tokens", 0.000004, 5, "tokens"],
      ["service.requests", 0.000003, 3, null],
      ["training.seconds", 0.003, 60, "duration_seconds"],
    ]);
  });

  test("[OAI5] costs of keys", async () => {
    const { data } = await client().costs({ start_time, limit: 1, group_by: ["api_key_id"], api_key_ids: ["key_2"] });
    expect(data[0]?.results).toMatchObject([{ api_key_id: "key_2", amount: { value: 0.000201 }, quantity: null }]);
  });

  test("[OAI5] what has no price has no amount, which is not zero", async () => {
    const project = await insertTestProject(database.db, "unpriced");
    await ledger.record(project, [
      { ...event("u1", "rides", "3", "2026-03-01T10:00:00Z", {}), source: "https://rides.example" },
    ]);
    const { data } = await client().costs({ start_time, limit: 1, project_ids: [project], group_by: ["line_item"] });
    expect(data[0]?.results).toEqual([
      {
        object: "organization.costs.result",
        line_item: "rides",
        project_id: null,
        api_key_id: null,
        quantity: 3,
        quantity_unit: null,
      },
    ]);
  });
});

describe("refusals, as OpenAI's client tells them", () => {
  test("[OAI1] [OAI6] a key without the scope, and none", async () => {
    await expect(client("worker").completions({ start_time })).rejects.toMatchObject({
      status: 403,
      type: "permission_error",
      code: "auth.forbidden",
    });
    await expect(client("worker").costs({ start_time })).rejects.toMatchObject({ status: 403 });
    await expect(client("nobody").completions({ start_time })).rejects.toMatchObject({
      status: 401,
      type: "authentication_error",
      code: "invalid_api_key",
    });
  });

  test.each([
    ["limit", { limit: 32 }],
    ["limit", { limit: 0 }],
    ["end_time", { end_time: start_time }],
    ["page", { page: "page_x" }],
    ["bucket_width", { bucket_width: "1w" }],
  ])("[OAI6] a wrong %s is named", async (param, wrong) => {
    const asked = client().completions({ start_time, ...(wrong as object) });
    await expect(asked).rejects.toMatchObject({ status: 400, type: "invalid_request_error", param });
  });

  test("[OAI2] [OAI6] fields and groups that the kind does not have are refused", async () => {
    const status = async (path: string) =>
      (await http.app.inject({ url: `/v1/organization/${path}`, headers: { authorization: "Bearer officer" } }))
        .statusCode;
    expect(await status(`usage/vector_stores?start_time=1&models[]=a`)).toBe(400);
    expect(await status(`usage/vector_stores?start_time=1&group_by[]=model`)).toBe(400);
    expect(await status(`costs?start_time=1&bucket_width=1h`)).toBe(400);
    expect(await status(`usage/completions`)).toBe(400);
  });
});
