import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Http } from "../http/index.ts";
import { newId } from "../ids.ts";
import { createGuardedFetch } from "../net/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { silentLog, testNotice, testNotifications, testSecrets } from "./testing/notifications.ts";
import { eventually, webhookReceiver } from "./testing/receivers.ts";
import { WebhookStore } from "./webhook-store.ts";
import { Webhooks } from "./webhooks.ts";

let database: TestDatabase;
let http: Http;
let strict: Http;

beforeAll(async () => {
  database = await testDatabase();
  const projectId = await insertTestProject(database.db);
  const keys = { owner: { projectId }, developer: { projectId, scopes: ["budgets:read", "inference"] as const } };
  http = await testHttp(testNotifications(database.db).routes, keys);
  const fetch = createGuardedFetch({ allowedAddresses: [] });
  strict = await testHttp(testNotifications(database.db, { fetch }).routes, keys);
});
afterAll(async () => {
  await http.stop(0);
  await strict.stop(0);
  await database.close();
});

type Method = "GET" | "POST" | "PATCH" | "DELETE";
const call = (method: Method, url: string, payload?: object, key = "owner", at = http) =>
  at.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(payload === undefined ? {} : { payload }),
  });
const create = async (url = "http://127.0.0.1:9/") =>
  (await call("POST", "/api/webhooks", { name: "alerts", url })).json();

describe("[NTF6] secrets", () => {
  it("are in the answer that makes them and in no other, and lie sealed in the database", async () => {
    const made = await create();
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const answers = [
      await call("GET", `/api/webhooks/${made.id}`),
      await call("GET", "/api/webhooks"),
      await call("PATCH", `/api/webhooks/${made.id}`, { name: "others" }),
      await call("POST", `/api/webhooks/${made.id}/test`),
      await call("GET", `/api/webhooks/${made.id}/deliveries`),
    ];
    for (const answer of answers) expect(answer.body).not.toContain('secret"');
    const bytes = Buffer.from(made.secret.slice("whsec_".length), "base64");
    const { rows } = await sql<{ secret: Buffer; whole: string }>`
      select secret, webhook::text as whole from webhook where id = ${made.id}`.execute(database.db);
    expect(rows[0]?.whole).not.toContain(bytes.toString("hex"));
    expect(testSecrets.open(rows[0]?.secret ?? Buffer.of(), `webhook ${made.id}`)).toEqual(bytes);
    expect(() => testSecrets.open(rows[0]?.secret ?? Buffer.of(), "webhook whk_other")).toThrow();
  });

  it("when one is replaced, both sign for a day, so that no receiver misses a call", async () => {
    const server = await webhookReceiver();
    const made = await create(server.url);
    const rotated = (await call("PATCH", `/api/webhooks/${made.id}`, { rotate_secret: true })).json();
    expect(rotated.secret).not.toBe(made.secret);
    const days = (days: number) => () => new Date(Date.now() + days * 86_400_000);
    for (const [now, signatures] of [
      [days(0), 2],
      [days(1.01), 1],
    ] as const) {
      const notifications = testNotifications(database.db, { ground: { now, newId, log: silentLog } });
      await notifications.start();
      const count = server.calls.length;
      await notifications.notify(testNotice(), { webhooks: [made.id], emails: [] });
      await eventually(() => server.calls.length > count);
      await notifications.stop();
      const signature = String(server.calls.at(-1)?.headers["webhook-signature"]);
      expect(signature.split(" ")).toHaveLength(signatures);
    }
    const [first] = server.calls;
    for (const secret of [made.secret, rotated.secret])
      new Webhook(secret).verify(first?.body ?? "", (first?.headers ?? {}) as Record<string, string>);
    await server.close();
  });
});

describe("[NTF7] one's own", () => {
  it("another organization's webhooks are not found, not listed, not called and not changed", async () => {
    const { id } = await create();
    const store = new WebhookStore(database.db);
    const ground = { now: () => new Date(), newId, log: silentLog };
    const fetch = createGuardedFetch({ allowedAddresses: ["127.0.0.1"] });
    const parts = { ground, db: database.db, store, secrets: testSecrets, fetch, onAdded: () => {} };
    const webhooks = new Webhooks(parts);
    const notFound = expect.objectContaining({ code: "webhook.not_found" });
    await expect(webhooks.get("org_other", id)).rejects.toEqual(notFound);
    await expect(webhooks.update("org_other", id, { url: "https://evil.example/" })).rejects.toEqual(notFound);
    await expect(webhooks.delete("org_other", id)).rejects.toEqual(notFound);
    await expect(webhooks.test("org_other", id)).rejects.toEqual(notFound);
    await expect(webhooks.deliveries("org_other", id, { limit: 10, order: "asc" })).rejects.toEqual(notFound);
    expect(await webhooks.list("org_other", { limit: 10, order: "asc" })).toEqual([]);
    await sql`insert into organization (id, name) values ('org_other', 'other') on conflict do nothing`.execute(
      database.db,
    );
    const notice = testNotice({ organizationId: "org_other" });
    const notifications = testNotifications(database.db);
    await notifications.notify(notice, { webhooks: [id], emails: [] });
    expect(await notifications.deliveriesOf([notice.id])).toEqual([]);
    expect(await notifications.missingWebhooks("org_other", [id])).toEqual([id]);
    expect(await notifications.missingWebhooks("org_default", [id, "whk_x"])).toEqual(["whk_x"]);
  });

  it("who may not govern the organization may not even look", async () => {
    const { id } = await create();
    for (const [method, url] of [
      ["GET", "/api/webhooks"],
      ["POST", "/api/webhooks"],
      ["GET", `/api/webhooks/${id}`],
      ["PATCH", `/api/webhooks/${id}`],
      ["DELETE", `/api/webhooks/${id}`],
      ["POST", `/api/webhooks/${id}/test`],
      ["GET", `/api/webhooks/${id}/deliveries`],
    ] as const)
      expect((await call(method, url, method === "GET" ? undefined : {}, "developer")).statusCode).toBe(403);
  });

  it("there are 50 at most, however many are made at once", async () => {
    await sql`delete from webhook`.execute(database.db);
    const answers = await Promise.all(
      Array.from({ length: 55 }, () => call("POST", "/api/webhooks", { name: "w", url: "http://127.0.0.1:9/" })),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 201)).toHaveLength(50);
    expect(answers.find(({ statusCode }) => statusCode !== 201)?.json().error.code).toBe("webhook.too_many");
    const [first, second] = [await call("GET", "/api/webhooks?limit=30&order=asc"), undefined];
    expect([first.json().data.length, first.json().has_more, second]).toEqual([30, true, undefined]);
    const rest = await call("GET", `/api/webhooks?limit=30&order=asc&after=${first.json().last_id}`);
    expect([rest.json().data.length, rest.json().has_more]).toEqual([20, false]);
    await sql`delete from webhook`.execute(database.db);
  });
});

describe("[NTF4] what a webhook may be", () => {
  it.each([
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f000001/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost/",
    "https://user:password@example.com/",
  ])("%s is refused when it is named, for a new one and for one that is there", async (url) => {
    const refused = await call("POST", "/api/webhooks", { name: "alerts", url }, "owner", strict);
    expect([refused.statusCode, refused.json().error.code]).toEqual([422, "url.forbidden"]);
    const { id } = await create();
    const changed = await call("PATCH", `/api/webhooks/${id}`, { url }, "owner", strict);
    expect(changed.json().error.code).toBe("url.forbidden");
  });

  it.each([
    { name: "a", url: "ftp://example.com/" },
    { name: "a", url: "javascript:alert(1)" },
    { name: "a", url: "no url" },
    { name: "a\r\nBcc: b", url: "https://example.com/" },
    { name: "a\u202eb", url: "https://example.com/" },
    { name: "", url: "https://example.com/" },
    { name: "a", url: "https://example.com/", organization_id: "org_other" },
    { name: "a", url: "https://example.com/", enabled: false },
  ])("%j is no webhook", async (payload) => {
    const answer = await call("POST", "/api/webhooks", payload);
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, "request.invalid"]);
  });

  it("a test message tells what came of it", async () => {
    const server = await webhookReceiver();
    const made = await create(server.url);
    const notifications = testNotifications(database.db);
    await notifications.start();
    const sent = await call("POST", `/api/webhooks/${made.id}/test`);
    expect([sent.statusCode, sent.json().status]).toEqual([202, "pending"]);
    await eventually(() => server.calls.length === 1);
    const listed = async () => (await call("GET", `/api/webhooks/${made.id}/deliveries`)).json().data;
    await eventually(async () => (await listed())[0].status === "delivered");
    await notifications.stop();
    const [{ headers, body } = { headers: {}, body: "" }] = server.calls;
    const event = new Webhook(made.secret).verify(body, headers as Record<string, string>);
    expect(event).toMatchObject({ type: "webhook.test", data: { webhook_id: made.id, name: "alerts" } });
    expect(await listed()).toMatchObject([
      { object: "webhook.delivery", attempts: 1, last_status: 204, event_type: "webhook.test" },
    ]);
    expect((await call("DELETE", `/api/webhooks/${made.id}`)).json()).toMatchObject({ deleted: true });
    expect((await call("GET", `/api/webhooks/${made.id}/deliveries`)).statusCode).toBe(404);
    await server.close();
  });
});
