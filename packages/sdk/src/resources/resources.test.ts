/** Which request each call makes. Bodies go as they were given, so one case a path is enough. */
import { expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";

const from = "2026-11-01T00:00:00Z";
const subject = { type: "project", id: "prj_1" } as const;
const event = { id: "1", source: "s", type: "t" };

const cases: readonly (readonly [string, (client: Gristmill) => Promise<unknown>])[] = [
  ["GET /api/organizations?limit=1", (c) => c.organizations.list({ limit: 1 }).page()],
  ["GET /api/organizations/acme", (c) => c.organizations.get("acme")],
  ["POST /api/organizations", (c) => c.organizations.create({ name: "acme" })],
  ["PATCH /api/organizations/acme", (c) => c.organizations.update("acme", { display_name: null })],
  [
    "GET /api/organizations/org_1/usage?from=2026-11-01T00%3A00%3A00Z&window=day&group_by=project%2Cmodel&project=prj_1",
    (c) => c.organizations.usage("org_1", { from, window: "day", groupBy: ["project", "model"], project: "prj_1" }),
  ],
  ["PATCH /api/projects/vision", (c) => c.projects.update("vision", { archived: false })],
  ["POST /api/projects/vision/archive", (c) => c.projects.archive("vision")],
  ["GET /api/members?project=vision", (c) => c.members.list({ project: "vision" }).page()],
  [
    "PATCH /api/members/usr_1?project=vision",
    (c) => c.members.update("usr_1", { role: "admin" }, { project: "vision" }),
  ],
  ["DELETE /api/members/usr_1", (c) => c.members.remove("usr_1")],
  ["GET /api/invitations", (c) => c.invitations.list().page()],
  ["POST /api/invitations", (c) => c.invitations.create({ email: "a@example.com", role: "viewer" })],
  ["DELETE /api/invitations/inv_1", (c) => c.invitations.withdraw("inv_1")],
  ["POST /api/invitations/accept", (c) => c.invitations.accept("token")],
  ["GET /api/service-accounts", (c) => c.serviceAccounts.list().page()],
  ["GET /api/service-accounts/sva_1", (c) => c.serviceAccounts.get("sva_1")],
  ["POST /api/service-accounts", (c) => c.serviceAccounts.create({ name: "ci", role: "developer" })],
  ["PATCH /api/service-accounts/sva_1", (c) => c.serviceAccounts.update("sva_1", { disabled: true })],
  ["DELETE /api/service-accounts/sva_1", (c) => c.serviceAccounts.delete("sva_1")],
  ["PATCH /api/keys/key_1", (c) => c.keys.update("key_1", { models: null })],
  ["POST /api/keys/key_1/rotate", (c) => c.keys.rotate("key_1", { grace_seconds: 60 })],
  ["DELETE /api/keys/key_1", (c) => c.keys.revoke("key_1")],
  ["GET /api/session", (c) => c.sessions.current()],
  ["GET /api/sessions", (c) => c.sessions.list().page()],
  ["DELETE /api/sessions/ses_1", (c) => c.sessions.end("ses_1")],
  ["DELETE /api/session", (c) => c.sessions.signOut()],
  ["GET /api/user", (c) => c.account.get()],
  ["PATCH /api/user", (c) => c.account.update({ name: "Ada" })],
  ["GET /api/limits?metric=tokens_per_minute", (c) => c.limits.list({ metric: "tokens_per_minute" }).page()],
  ["POST /api/limits", (c) => c.limits.create({ subject, metric: "requests_per_minute", value: 1 })],
  ["PATCH /api/limits/lim_1", (c) => c.limits.update("lim_1", { value: 2 })],
  ["DELETE /api/limits/lim_1", (c) => c.limits.delete("lim_1")],
  ["GET /api/budgets?subject_type=key", (c) => c.budgets.list({ subjectType: "key" }).page()],
  ["GET /api/budgets/bud_1", (c) => c.budgets.get("bud_1")],
  ["POST /api/budgets", (c) => c.budgets.create({ name: "b", subject, amount: "5", period: "month" })],
  ["PATCH /api/budgets/bud_1", (c) => c.budgets.update("bud_1", { amount: "6" })],
  ["DELETE /api/budgets/bud_1", (c) => c.budgets.delete("bud_1")],
  ["GET /api/upstreams", (c) => c.upstreams.list().page()],
  ["GET /api/upstreams/azure", (c) => c.upstreams.get("azure")],
  ["POST /api/upstreams", (c) => c.upstreams.create({ name: "azure", base_url: "https://example.com/v1", model: "m" })],
  ["PATCH /api/upstreams/azure", (c) => c.upstreams.update("azure", { model: "n" })],
  ["DELETE /api/upstreams/azure", (c) => c.upstreams.delete("azure")],
  ["GET /api/webhooks", (c) => c.webhooks.list().page()],
  ["GET /api/webhooks/whk_1", (c) => c.webhooks.get("whk_1")],
  ["POST /api/webhooks", (c) => c.webhooks.create({ name: "w", url: "https://example.com" })],
  ["PATCH /api/webhooks/whk_1", (c) => c.webhooks.update("whk_1", { rotate_secret: true })],
  ["DELETE /api/webhooks/whk_1", (c) => c.webhooks.delete("whk_1")],
  ["POST /api/webhooks/whk_1/test", (c) => c.webhooks.test("whk_1")],
  ["GET /api/webhooks/whk_1/deliveries", (c) => c.webhooks.deliveries("whk_1").page()],
  [
    "GET /api/audit-log?action=api_key.created&actor_id=key_1",
    (c) => c.auditLog.list({ action: "api_key.created", actorId: "key_1" }).page(),
  ],
  ["GET /api/audit-log/verification?number=3&hash=ab", (c) => c.auditLog.verify({ number: 3, hash: "ab" })],
  ["GET /api/denied-accesses?code=auth.invalid", (c) => c.deniedAccesses.list({ code: "auth.invalid" }).page()],
  ["GET /api/events?type=t&meter=m", (c) => c.events.list({ type: "t", meter: "m" }).page()],
  ["POST /api/events", (c) => c.events.send(event)],
  ["GET /api/meters", (c) => c.meters.list().page()],
  ["GET /api/meters/m", (c) => c.meters.get("m")],
  ["POST /api/meters", (c) => c.meters.create({ name: "m", event_type: "t", aggregation: "count" })],
  ["DELETE /api/meters/m", (c) => c.meters.delete("m")],
  [
    "GET /api/meters/m/query?window=hour&group_by=shop%2Ckey&filter.shop=berlin",
    (c) => c.meters.query("m", { window: "hour", groupBy: ["shop", "key"], filter: { shop: "berlin" } }),
  ],
  ["GET /api/quarantine?status=waiting", (c) => c.quarantine.list({ status: "waiting" }).page()],
  ["GET /api/quarantine/qtn_1", (c) => c.quarantine.get("qtn_1")],
  ["POST /api/quarantine/qtn_1/replay", (c) => c.quarantine.replay("qtn_1")],
  ["DELETE /api/quarantine/qtn_1?reason=a+test", (c) => c.quarantine.discard("qtn_1", "a test")],
  ["POST /api/corrections", (c) => c.corrections.create({ source: "s", id: "1", reason: "twice" })],
  ["POST /api/prices", (c) => c.prices.create({ meter: "m", charge: { type: "flat", amount: "1" } })],
  ["GET /api/usage?from=2026-11-01T00%3A00%3A00Z&meter=m", (c) => c.usage.report({ from, meter: "m" })],
  ["GET /api/usage/export?format=parquet&from=2026-11-01T00%3A00%3A00Z", (c) => c.usage.export("parquet", { from })],
  ["POST /api/runs/run_1/resume", (c) => c.runs.resume("run_1")],
];

it.each(cases)("%s", async (line, call) => {
  const { baseUrl, received } = await serve((_, response) => sendJson(response, 200, { object: "list", data: [] }));
  await call(new Gristmill({ baseUrl, apiKey: "k", maxRetries: 0 }));
  expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([line]);
  const isPublic = line.endsWith("/accept");
  expect(received[0]?.headers["idempotency-key"] !== undefined).toBe(line.startsWith("POST") && !isPublic);
});

it("bodies go as they were given", async () => {
  const { baseUrl, received } = await serve((_, response) => sendJson(response, 200, {}));
  const { budgets, organizations } = new Gristmill({ baseUrl, apiKey: "k" });
  await budgets.create({ name: "b", subject, amount: "5.00", period: "day", hard: true });
  await organizations.update("acme", { display_name: null });
  expect(received.map(({ body }) => JSON.parse(String(body)) as unknown)).toEqual([
    { name: "b", subject, amount: "5.00", period: "day", hard: true },
    { display_name: null },
  ]);
});
