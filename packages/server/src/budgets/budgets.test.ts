import type { Budget, CreateBudget, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Http } from "../http/index.ts";
import { newId } from "../ids.ts";
import { eventually, type Receiver, webhookReceiver } from "../notifications/testing/receivers.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { periodAt } from "./period.ts";
import { allowances, eventOf, reserve, type TestPlatform, testPlatform, use } from "./testing/platform.ts";

// Images cost 0.00001 USD each by the first price book: 100,000 of them cost 1.
const dollar = 100_000;

let database: TestDatabase;
let platform: TestPlatform;
let http: Http;
let receiver: Receiver;
let project: ProjectId;
let other: ProjectId;

beforeAll(async () => {
  receiver = await webhookReceiver();
});
beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  other = await insertTestProject(database.db, "other");
  platform = await testPlatform(database.db);
  http = await testHttp([...platform.budgets.routes, ...platform.notifications.routes], {
    owner: { projectId: project },
  });
});
afterEach(async () => {
  await http.stop(0);
  await platform.stop();
  await database.close();
});
afterAll(() => receiver.close());

type Method = "GET" | "POST" | "PATCH" | "DELETE";
const call = (method: Method, url: string, payload?: object, key = "owner") =>
  http.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}` },
    ...(payload === undefined ? {} : { payload }),
  });

async function create(more: Partial<CreateBudget> = {}): Promise<Budget> {
  const input = {
    name: "prod",
    subject: { type: "project", id: project },
    amount: "3",
    period: "month",
    hard: true,
    ...more,
  };
  const answer = await call("POST", "/api/budgets", input);
  if (answer.statusCode !== 201) throw new Error(answer.body);
  return answer.json();
}
const show = async (id: string): Promise<Budget> => (await call("GET", `/api/budgets/${id}`)).json();
const exceeded = expect.objectContaining({ code: "budget.exceeded" });
const image = (dollars: number) => ({ projectId: project, quantity: dollars * dollar });

async function insertKey(projectId: ProjectId) {
  const id = newId("key");
  await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes)
            values (${id}, ${projectId}, 'k', ${id}, sha256('x'), '{inference}')`.execute(database.db);
  return id;
}

describe("[BUD1] a hard budget", () => {
  it("refuses what could go beyond it, counts what is under way, and gives back what was not used", async () => {
    const { id } = await create();
    const open = await reserve(platform, image(2));
    expect(await show(id)).toMatchObject({ spent: "0", reserved: "2", remaining: "1" });
    await expect(reserve(platform, image(1.5))).rejects.toEqual(exceeded);
    await platform.metering.ledger.settle(open, [eventOf(open, image(0.5))]);
    expect(await show(id)).toMatchObject({ spent: "0.5", reserved: "0", remaining: "2.5" });
    await use(platform, image(2.5));
    await expect(reserve(platform, { projectId: project, quantity: 1 })).rejects.toEqual(exceeded);
    expect(await show(id)).toMatchObject({ spent: "3", reserved: "0", remaining: "0" });
    await use(platform, { projectId: other, quantity: 9 * dollar });
  });

  it("refuses what has no price; a soft one refuses nothing, and shows by how much it was passed", async () => {
    const soft = await create({ hard: false });
    await use(platform, image(4));
    expect(await show(soft.id)).toMatchObject({ spent: "4", remaining: "-1" });
    await create({ amount: "100" });
    await sql`alter table price disable trigger user`.execute(database.db);
    await sql`delete from price where meter = 'service.characters'`.execute(database.db);
    const unpriced = { projectId: project, meter: "service.characters", quantity: 1 } as const;
    await expect(reserve(platform, unpriced)).rejects.toMatchObject({ code: "price.unknown" });
  });

  it("holds at once when it is lowered, lets go when it is raised, and is forgotten when it is deleted", async () => {
    const { id } = await create();
    await use(platform, image(1));
    const open = await reserve(platform, image(1));
    await call("PATCH", `/api/budgets/${id}`, { amount: "2" });
    await expect(reserve(platform, image(0.1))).rejects.toEqual(exceeded);
    await call("PATCH", `/api/budgets/${id}`, { amount: "2.5" });
    await use(platform, image(0.5));
    await expect(reserve(platform, image(0.1))).rejects.toEqual(exceeded);
    expect((await call("DELETE", `/api/budgets/${id}`)).json()).toEqual({ id, object: "budget", deleted: true });
    await use(platform, image(50));
    await platform.metering.ledger.settle(open, [eventOf(open, image(1))]);
    expect([(await call("GET", `/api/budgets/${id}`)).statusCode, await allowances(database.db)]).toEqual([404, {}]);
  });
});

describe("[BUD2] periods on the ledger", () => {
  it("use counts where it was admitted, however late it is written", async () => {
    const [daily, monthly, total] = [
      await create({ period: "day", hard: false }),
      await create({ period: "month", hard: false }),
      await create({ period: "total", hard: false }),
    ];
    const times = [
      "2025-12-31T23:59:59.999Z",
      "2026-01-01T00:00:00.000Z",
      "2026-02-28T23:59:59.999Z",
      "2026-03-01T00:00:00Z",
    ];
    const events = times.map((time, index) => ({
      id: `slice:${index}`,
      meter: "service.images",
      quantity: String((index + 1) * dollar),
      time: new Date(new Date(time).getTime() + 1000),
      admittedAt: new Date(time),
      requestId: null,
      keyId: null,
      dimensions: {},
    }));
    await platform.metering.ledger.record(project, events);
    await platform.metering.ledger.record(project, events);
    const counted = await allowances(database.db);
    expect(Object.fromEntries(Object.entries(counted).filter(([, [used]]) => used !== "0"))).toEqual({
      [`${daily.id}:2025-12-31`]: ["1", "0"],
      [`${daily.id}:2026-01-01`]: ["2", "0"],
      [`${daily.id}:2026-02-28`]: ["3", "0"],
      [`${daily.id}:2026-03-01`]: ["4", "0"],
      [`${monthly.id}:2025-12-01`]: ["1", "0"],
      [`${monthly.id}:2026-01-01`]: ["2", "0"],
      [`${monthly.id}:2026-02-01`]: ["3", "0"],
      [`${monthly.id}:2026-03-01`]: ["4", "0"],
      [`${total.id}:total`]: ["10", "0"],
    });
    expect(await show(monthly.id)).toMatchObject({ spent: "0" });
    const { start, end } = periodAt("month", new Date());
    expect(await show(monthly.id)).toMatchObject({
      period_start: start?.toISOString(),
      period_end: end?.toISOString(),
    });
  });
});

describe("[BUD3] the middle of a period", () => {
  it("what was spent in it counts, of the subject alone", async () => {
    const key = await insertKey(project);
    await use(platform, image(1));
    await use(platform, { ...image(0.5), keyId: key });
    await use(platform, { projectId: other, quantity: 4 * dollar });
    await platform.metering.ledger.record(project, [
      {
        ...eventOf(await reserve(platform, image(0)), image(7)),
        id: "old",
        admittedAt: new Date("2025-01-01"),
        time: new Date("2025-01-01"),
      },
    ]);
    const spent = async (more: Partial<CreateBudget>) => (await create({ hard: false, ...more })).spent;
    expect(await spent({})).toBe("1.5");
    expect(await spent({ subject: { type: "key", id: key } })).toBe("0.5");
    expect(await spent({ subject: { type: "organization", id: "org_default" } })).toBe("5.5");
    expect(await spent({ period: "total" })).toBe("8.5");
    expect(await spent({ period: "day" })).toBe("1.5");
    const hard = await create({ amount: "2" });
    await expect(reserve(platform, image(0.6))).rejects.toEqual(exceeded);
    await use(platform, image(0.5));
    expect(await show(hard.id)).toMatchObject({ spent: "2", remaining: "0" });
  });

  it("a budget that begins, or becomes hard, holds what is under way", async () => {
    const open = [await reserve(platform, image(1)), await reserve(platform, image(0.5))];
    const soft = await create({ hard: false });
    expect(soft.reserved).toBe("0");
    const hard = await create({ amount: "2" });
    expect(hard).toMatchObject({ spent: "0", reserved: "1.5", remaining: "0.5" });
    await expect(reserve(platform, image(0.6))).rejects.toEqual(exceeded);
    const third = await reserve(platform, image(0.5));
    const hardened = (await call("PATCH", `/api/budgets/${soft.id}`, { hard: true })).json();
    expect(hardened).toMatchObject({ hard: true, reserved: "2" });
    for (const toggled of [false, true, false, true]) await call("PATCH", `/api/budgets/${soft.id}`, { hard: toggled });
    expect(await show(soft.id)).toMatchObject({ reserved: "2" });
    for (const reservation of open) await platform.metering.ledger.release(reservation);
    await platform.metering.ledger.settle(third, [eventOf(third, image(0.5))]);
    for (const { id } of [soft, hard]) expect(await show(id)).toMatchObject({ spent: "0.5", reserved: "0" });
  });

  it("what is under way is held at the price of its model", async () => {
    await sql`insert into price (id, meter, model, amount, currency, effective_from)
              values ('prc_m', 'service.images', 'large', 1, 'USD', '2020-01-01T00:00:00Z')`.execute(database.db);
    await call("DELETE", `/api/budgets/${(await create({ amount: "1" })).id}`);
    await reserve(platform, { projectId: project, quantity: 2, model: "large" });
    expect(await create({ amount: "3" })).toMatchObject({ reserved: "2" });
  });
});

describe("[BUD4] alerts", () => {
  const webhookOf = async () => (await call("POST", "/api/webhooks", { name: "alerts", url: receiver.url })).json();

  it("come once for each threshold, signed, with what a receiver needs to know", async () => {
    const before = receiver.calls.length;
    const { id: webhook, secret } = await webhookOf();
    const { id } = await create({
      amount: "1",
      thresholds: [50, 80, 100],
      notify: { emails: [], webhooks: [webhook] },
    });
    const second = await testPlatform(database.db);
    for (let times = 0; times < 10; times++) await use(times % 2 === 0 ? platform : second, image(0.1));
    await eventually(async () => {
      const { alerts } = await show(id);
      return alerts.length === 3 && alerts.every(({ deliveries }) => deliveries[0]?.status === "delivered");
    });
    await second.stop();
    const calls = receiver.calls.slice(before);
    const events = calls.map(({ headers, body }) =>
      new Webhook(secret).verify(body, headers as Record<string, string>),
    );
    const seen = events.map(
      (event) => event as { id: string; type: string; data: { threshold: number; spent: string } },
    );
    expect(seen.toSorted((a, b) => a.data.threshold - b.data.threshold)).toMatchObject([
      {
        type: "budget.threshold_reached",
        data: { threshold: 50, threshold_amount: "0.5", spent: "0.5", budget: { id, hard: true } },
      },
      { data: { threshold: 80, threshold_amount: "0.8", spent: "0.8" } },
      {
        data: {
          threshold: 100,
          threshold_amount: "1",
          spent: "1",
          budget: { amount: "1", currency: "USD", period: "month" },
        },
      },
    ]);
    const { alerts } = await show(id);
    expect(alerts.map(({ id, threshold, amount }) => [id, threshold, amount]).toSorted()).toEqual(
      seen.map(({ id, data }) => [id, data.threshold, String(data.threshold / 100)]).toSorted(),
    );
    expect(alerts[0]?.deliveries).toEqual([
      { channel: "webhook", recipient: webhook, status: "delivered", attempts: 1, last_error: null },
    ]);
  });

  it("a threshold that was passed before it was set is told when it is set, and no threshold is told again", async () => {
    await use(platform, image(2));
    const { id } = await create({ hard: false, amount: "3", thresholds: [50, 100] });
    const reached = async () => (await show(id)).alerts.map(({ amount }) => amount);
    await eventually(async () => (await reached()).length === 1);
    await call("PATCH", `/api/budgets/${id}`, { amount: "4", thresholds: [25, 50] });
    await eventually(async () => (await reached()).length === 3);
    expect((await reached()).toSorted()).toEqual(["1", "1.5", "2"]);
    await call("PATCH", `/api/budgets/${id}`, { amount: "3", thresholds: [50, 100] });
    await use(platform, image(1));
    await eventually(async () => (await reached()).length === 4);
    expect((await reached()).toSorted()).toEqual(["1", "1.5", "2", "3"]);
  });

  it("what no server was there to tell is told by the next", async () => {
    const { id } = await create({
      hard: false,
      amount: "1",
      thresholds: [100],
      notify: { emails: ["a@example.com"], webhooks: [] },
    });
    await platform.budgets.stop();
    await use(platform, image(1));
    expect((await show(id)).alerts).toEqual([]);
    const next = await testPlatform(database.db);
    await eventually(async () => (await show(id)).alerts[0]?.deliveries[0]?.status === "failed");
    await next.stop();
    expect((await show(id)).alerts[0]?.deliveries[0]).toMatchObject({
      channel: "email",
      recipient: "a@example.com",
      last_error: expect.stringContaining("GRISTMILL_SMTP_URL"),
    });
  });
});

describe("[BUD5] nested budgets", () => {
  it("the tightest refuses, and then nothing is held in any", async () => {
    const key = await insertKey(project);
    const [wide, narrow] = [
      await create({ amount: "10", subject: { type: "organization", id: "org_default" } }),
      await create({ amount: "1", subject: { type: "key", id: key } }),
    ];
    await expect(reserve(platform, { ...image(2), keyId: key })).rejects.toMatchObject({
      details: { budget: narrow.id },
    });
    expect((await show(wide.id)).reserved).toBe("0");
    await use(platform, { ...image(1), keyId: key });
    await use(platform, image(9));
    for (const { id } of [wide, narrow]) expect((await show(id)).remaining).toBe("0");
  });
});
