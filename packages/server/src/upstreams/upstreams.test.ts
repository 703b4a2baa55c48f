/** @file Upstreams over HTTP: what is stored, what is told, and what nobody is told. */
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { App } from "../app.ts";
import { createDatabase, type DatabaseConnection } from "../db/index.ts";
import { testAdminKey, testApp } from "../testing/app.ts";

let app: App;
let close: () => Promise<void>;
let connection: DatabaseConnection;

beforeAll(async () => {
  ({ app, close, connection } = await testApp());
});
afterAll(() => close());

async function call(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, payload?: object) {
  const headers = { authorization: `Bearer ${testAdminKey}` };
  const answer = await app.http.app.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, text: answer.body, body: answer.json() };
}

const address = { base_url: "https://models.example.com/v1", model: "large" };
const token = "sk-never-to-be-seen-1234567890";
const value = "value-never-to-be-seen-0987654321";

describe("an upstream", () => {
  test("[UPS1] is made, shown by name and id, listed, changed and deleted", async () => {
    const made = await call("POST", "/api/upstreams", { name: "first", ...address, query: { "api-version": "1" } });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      object: "upstream",
      name: "first",
      ...address,
      dialect: null,
      credentials: null,
    });
    expect(made.body.settings).toMatchObject({
      retries: 2,
      max_concurrent: 64,
      abilities: { chat: true, embed: false },
    });
    expect((await call("GET", `/api/upstreams/${made.body.id}`)).body).toEqual(made.body);
    expect((await call("GET", "/api/upstreams")).body.data).toEqual([made.body]);
    const changed = await call("PATCH", "/api/upstreams/first", { model: "larger", dialect: "vllm" });
    expect(changed.body).toMatchObject({ model: "larger", dialect: "vllm", query: { "api-version": "1" } });
    expect((await call("POST", "/api/upstreams", { name: "first", ...address })).body.error.code).toBe(
      "upstream.name_taken",
    );
    expect((await call("DELETE", "/api/upstreams/first")).body).toMatchObject({ id: made.body.id, deleted: true });
    expect((await call("GET", "/api/upstreams/first")).body.error.code).toBe("upstream.not_found");
  });

  test("[UPS2] shows no secret: not in answers, in the database, or in the audit log", async () => {
    const secrets = { credentials: { type: "bearer", token }, headers: { "x-team": value } };
    const answers = [
      await call("POST", "/api/upstreams", { name: "secret", ...address, ...secrets }),
      await call("GET", "/api/upstreams/secret"),
      await call("GET", "/api/upstreams"),
      await call("PATCH", "/api/upstreams/secret", { credentials: { type: "header", name: "api-key", value: token } }),
      await call("POST", "/api/upstreams", { name: "secret", ...address, ...secrets }),
      await call("GET", "/api/audit-log"),
    ];
    for (const { text } of answers) for (const secret of [token, value]) expect(text).not.toContain(secret);
    expect(answers[0]?.body).toMatchObject({ credentials: { type: "bearer" }, header_names: ["x-team"] });
    expect(answers[3]?.body).toMatchObject({
      credentials: { type: "header", name: "api-key" },
      header_names: ["x-team"],
    });
    const db = createDatabase(connection);
    const { rows } = await sql<{ row: string }>`select upstream::text as row from upstream`.execute(db);
    await db.destroy();
    expect(rows).toHaveLength(1);
    for (const secret of [token, value])
      for (const form of [secret, Buffer.from(secret).toString("hex")]) expect(rows[0]?.row).not.toContain(form);
  });

  test("[UPS3] does not send its keys to another host, unless they are given again", async () => {
    await call("POST", "/api/upstreams", { name: "moving", ...address, credentials: { type: "bearer", token } });
    const elsewhere = { base_url: "https://other.example.com/v1" };
    const refused = await call("PATCH", "/api/upstreams/moving", elsewhere);
    expect(refused.body.error).toMatchObject({ code: "request.invalid", details: { param: "credentials" } });
    expect((await call("PATCH", "/api/upstreams/moving", { base_url: `${address.base_url}/x` })).status).toBe(200);
    const moved = await call("PATCH", "/api/upstreams/moving", { ...elsewhere, credentials: null });
    expect(moved.body).toMatchObject({ ...elsewhere, credentials: null });
    await call("PATCH", "/api/upstreams/moving", { headers: { "x-team": value } });
    const back = await call("PATCH", "/api/upstreams/moving", { base_url: address.base_url });
    expect(back.body.error.details).toEqual({ param: "headers" });
  });

  test.each(["http://127.0.0.1:7070/v1", "https://169.254.169.254/v1", "https://[::1]/v1", "https://2130706433/v1"])(
    "[UPS4] leads to the public alone: %s",
    async (base_url) => {
      const made = await call("POST", "/api/upstreams", { name: "inside", base_url, model: "m" });
      expect([made.status, made.body.error.code]).toEqual([422, "url.forbidden"]);
      const changed = await call("PATCH", "/api/upstreams/secret", { base_url, credentials: null, headers: {} });
      expect(changed.body.error.code).toBe("url.forbidden");
    },
  );

  test.each([
    [{ base_url: "https://user:pw@models.example.com/v1" }, "base_url"],
    [{ base_url: "https://models.example.com/v1?key=1" }, "base_url"],
    [{ base_url: "file:///etc/passwd" }, "base_url"],
    [{ credentials: { type: "bearer", token: "two\r\nlines" } }, "credentials.token"],
    [{ credentials: { type: "header", name: "host", value: "x" } }, "credentials.name"],
    [{ headers: { authorization: "Bearer x" } }, "headers"],
    [{ headers: { "a b": "x" } }, "headers"],
    [{ settings: { retries: 100 } }, "settings.retries"],
    [{ model: "" }, "model"],
    [{ unknown: 1 }, "unknown"],
  ])("refuses %j by its field", async (change, field) => {
    const { status, text } = await call("POST", "/api/upstreams", { name: "wrong", ...address, ...change });
    expect(status).toBe(400);
    expect(text).toContain(field);
  });
});
