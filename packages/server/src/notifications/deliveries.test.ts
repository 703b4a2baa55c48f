import type { RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { WebhookWithSecret } from "@gristmill/contract";
import { sql } from "kysely";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Http } from "../http/index.ts";
import { createGuardedFetch } from "../net/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import type { Notifications, NotificationsDeps } from "./index.ts";
import { testNotice, testNotifications } from "./testing/notifications.ts";
import { answering, eventually, mailbox, type Receiver, webhookReceiver } from "./testing/receivers.ts";

let database: TestDatabase;
let http: Http;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await testDatabase();
  const projectId = await insertTestProject(database.db);
  http = await testHttp(testNotifications(database.db).routes, { owner: { projectId } });
});
afterEach(async () => {
  for (const close of cleanUp.splice(0).toReversed()) await close();
  await sql`delete from webhook`.execute(database.db);
  await sql`delete from delivery`.execute(database.db);
});
afterAll(async () => {
  await http.stop(0);
  await database.close();
});

async function running(more: Partial<NotificationsDeps> = {}): Promise<Notifications> {
  const notifications = testNotifications(database.db, more);
  await notifications.start();
  cleanUp.push(() => notifications.stop());
  return notifications;
}

async function receiver(...answers: readonly RequestListener[]): Promise<Receiver> {
  const server = await webhookReceiver(...answers);
  cleanUp.push(() => server.close());
  return server;
}

async function createWebhook(url: string): Promise<WebhookWithSecret> {
  const answer = await http.app.inject({
    method: "POST",
    url: "/api/webhooks",
    headers: { authorization: "Bearer owner", "idempotency-key": crypto.randomUUID() },
    payload: { name: "alerts", url },
  });
  expect(answer.statusCode).toBe(201);
  return answer.json();
}

const statesOf = async (notifications: Notifications, ...ids: string[]) =>
  (await notifications.deliveriesOf(ids)).map(({ status, attempts, last_status }) => [status, attempts, last_status]);
const hasEnded =
  (notifications: Notifications, ...ids: string[]) =>
  async () =>
    (await notifications.deliveriesOf(ids)).every(({ status }) => status !== "pending");

describe("[NTF1] every notice is delivered at least once, under one id", () => {
  it("signed, with the body that the receiver's library accepts", async () => {
    const server = await receiver();
    const { id: webhook, secret } = await createWebhook(server.url);
    const notifications = await running();
    const notice = testNotice();
    await notifications.notify(notice, { webhooks: [webhook, webhook, "whk_none"], emails: [] });
    await eventually(() => server.calls.length > 0);
    await eventually(hasEnded(notifications, notice.id));
    expect(server.calls).toHaveLength(1);
    const [{ headers, body } = { headers: {}, body: "" }] = server.calls;
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({
      id: notice.id,
      type: "budget.threshold_reached",
      timestamp: "2026-11-23T12:00:00.000Z",
      organization_id: "org_default",
      data: { spent: "1.5" },
    });
    expect(headers).toMatchObject({ "webhook-id": notice.id, "content-type": "application/json" });
    expect(await statesOf(notifications, notice.id)).toEqual([["delivered", 1, 204]]);
  });

  it("a notice given twice is sent once, and the same attempt's body and id come again after a failure", async () => {
    const server = await receiver(answering(500), answering(503), answering(200));
    const { id: webhook, secret } = await createWebhook(server.url);
    const notifications = await running();
    const notice = testNotice();
    for (let times = 0; times < 3; times++) await notifications.notify(notice, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, notice.id));
    expect(await statesOf(notifications, notice.id)).toEqual([["delivered", 3, 200]]);
    expect(new Set(server.calls.map(({ body }) => body)).size).toBe(1);
    // A receiver that keeps the ids it has seen does its work once, however often it is called.
    const seen = new Set<string>();
    for (const { headers, body } of server.calls) {
      new Webhook(secret).verify(body, headers as Record<string, string>);
      seen.add(String(headers["webhook-id"]));
    }
    expect([server.calls.length, [...seen]]).toEqual([3, [notice.id]]);
  });

  it("a server that dies between the notice and the call, or during the call, leaves it to the next", async () => {
    const server = await receiver((_request, response) => void response.once("close", () => {}), answering(200));
    const { id: webhook } = await createWebhook(server.url);
    const [before, during] = [testNotice(), testNotice()];
    const dead = testNotifications(database.db);
    await dead.notify(before, { webhooks: [webhook], emails: [] });
    const dying = testNotifications(database.db, { fetch: createGuardedFetch({ allowedAddresses: ["127.0.0.1"] }) });
    await dying.start();
    await dying.notify(during, { webhooks: [webhook], emails: [] });
    await eventually(() => server.calls.length >= 1);
    await dying.stop();
    const next = await running();
    await eventually(hasEnded(next, before.id, during.id));
    expect((await next.deliveriesOf([before.id, during.id])).map(({ status }) => status)).toEqual([
      "delivered",
      "delivered",
    ]);
  });

  it("what a killed server was sending is taken over when its time is up", async () => {
    const server = await receiver();
    const { id: webhook } = await createWebhook(server.url);
    const notice = testNotice();
    await testNotifications(database.db).notify(notice, { webhooks: [webhook], emails: [] });
    await sql`update delivery set attempts = 1, next_attempt_at = now() + interval '400 milliseconds'`.execute(
      database.db,
    );
    const next = await running();
    await sleep(100);
    expect(server.calls).toHaveLength(0);
    await eventually(hasEnded(next, notice.id));
    expect(await statesOf(next, notice.id)).toEqual([["delivered", 2, 204]]);
  });

  it("three servers on one database call each receiver once", async () => {
    const server = await receiver();
    const { id: webhook } = await createWebhook(server.url);
    const servers = [await running(), await running(), await running()];
    const notices = Array.from({ length: 60 }, () => testNotice());
    await Promise.all(
      notices.map((notice, index) => servers[index % 3]?.notify(notice, { webhooks: [webhook], emails: [] })),
    );
    const [first] = servers;
    if (first !== undefined) await eventually(hasEnded(first, ...notices.map(({ id }) => id)));
    const ids = server.calls.map(({ headers }) => headers["webhook-id"]);
    expect(ids.toSorted()).toEqual(notices.map(({ id }) => id).toSorted());
  });
});

describe("[NTF2] attempts are bounded", () => {
  it("in number: after the last one the delivery has failed", async () => {
    const server = await receiver(answering(500));
    const { id: webhook } = await createWebhook(server.url);
    const notifications = await running();
    const notice = testNotice();
    await notifications.notify(notice, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, notice.id));
    expect(await statesOf(notifications, notice.id)).toEqual([["failed", 3, 500]]);
    expect(server.calls).toHaveLength(3);
  });

  it("in time: slow receivers hold up nobody else", async () => {
    const slow = await receiver(() => {});
    const quick = await receiver();
    const [toSlow, toQuick] = [await createWebhook(slow.url), await createWebhook(quick.url)];
    const notifications = await running();
    const stuck = Array.from({ length: 20 }, () => testNotice());
    for (const notice of stuck) await notifications.notify(notice, { webhooks: [toSlow.id], emails: [] });
    await eventually(() => slow.calls.length > 0);
    const notice = testNotice();
    await notifications.notify(notice, { webhooks: [toQuick.id], emails: [] });
    await eventually(() => quick.calls.length === 1);
    expect(slow.calls.length).toBeLessThanOrEqual(4);
  });

  it("in size: an answer without end is not read", async () => {
    let sent = 0;
    const endless = await receiver((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on("drain", more);
      more();
    });
    const { id: webhook } = await createWebhook(endless.url);
    const notifications = await running();
    const notice = testNotice();
    await notifications.notify(notice, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, notice.id));
    expect(await statesOf(notifications, notice.id)).toEqual([["delivered", 1, 200]]);
    expect(sent).toBeLessThan(32 * 1_048_576);
  });
});

describe("[NTF4] what an answer means", () => {
  it("410 switches the webhook off, and nothing is sent to it until it is switched on", async () => {
    const server = await receiver(answering(410), answering(200));
    const { id: webhook } = await createWebhook(server.url);
    const notifications = await running();
    const [first, second, third] = [testNotice(), testNotice(), testNotice()];
    await notifications.notify(first, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, first.id));
    await notifications.notify(second, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, second.id));
    expect(await statesOf(notifications, first.id, second.id)).toEqual([
      ["failed", 1, 410],
      ["failed", 1, null],
    ]);
    const authorization = { authorization: "Bearer owner" };
    const shown = await http.app.inject({ url: `/api/webhooks/${webhook}`, headers: authorization });
    expect(shown.json()).toMatchObject({ enabled: false, disabled_reason: "its receiver answered 410: gone" });
    const url = `/api/webhooks/${webhook}`;
    await http.app.inject({ method: "PATCH", url, headers: authorization, payload: { enabled: true } });
    await notifications.notify(third, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, third.id));
    expect(await statesOf(notifications, third.id)).toEqual([["delivered", 1, 200]]);
  });

  it("a redirect is a failure and is not followed, least of all to a private address", async () => {
    const inner = await receiver();
    const outer = await receiver(
      answering(307, { location: `http://127.0.0.2:${inner.port}/` }),
      answering(302, { location: inner.url }),
    );
    const { id: webhook } = await createWebhook(outer.url);
    const notifications = await running();
    const notice = testNotice();
    await notifications.notify(notice, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(notifications, notice.id));
    expect(await statesOf(notifications, notice.id)).toEqual([["failed", 3, 302]]);
    expect([outer.calls.length, inner.connections()]).toEqual([3, 0]);
  });

  it("a webhook whose name has come to lead to a private address is not called", async () => {
    const server = await receiver();
    const lookups = [["127.0.0.1"], ["127.0.0.9"], ["::ffff:127.0.0.9"], ["10.0.0.1"]];
    const fetch = createGuardedFetch({ allowedAddresses: ["127.0.0.1"], lookup: async () => lookups.shift() ?? [] });
    const owner = await testHttp(testNotifications(database.db, { fetch }).routes, { owner: { projectId: "prj_x" } });
    cleanUp.push(() => owner.stop(0));
    const payload = { name: "alerts", url: `http://hooks.example:${server.port}/` };
    const headers = { authorization: "Bearer owner" };
    const created = await owner.app.inject({ method: "POST", url: "/api/webhooks", headers, payload });
    expect(created.statusCode).toBe(201);
    const notifications = await running({ fetch });
    const notice = testNotice();
    await notifications.notify(notice, { webhooks: [created.json().id], emails: [] });
    await eventually(hasEnded(notifications, notice.id));
    expect(await statesOf(notifications, notice.id)).toEqual([["failed", 3, null]]);
    const [delivery] = await notifications.deliveriesOf([notice.id]);
    expect(delivery?.last_error).toMatch(/^hooks\.example:\d+ leads to an address that is not public\.$/);
    expect(server.connections()).toBe(0);
  });
});

describe("[NTF5] mail", () => {
  it("goes to each address once, with the notice's words", async () => {
    const box = await mailbox();
    cleanUp.push(() => box.close());
    const notifications = await running({ smtp: { url: box.url, from: "gristmill@example.com" } });
    const notice = testNotice({ subject: "Das Budget „März“ hat 80 % erreicht", text: "Zeile 1\n.\nZeile 3 ä\n" });
    await notifications.notify(notice, { webhooks: [], emails: ["a@example.com", "b@example.com", "a@example.com"] });
    await eventually(hasEnded(notifications, notice.id));
    expect(box.letters.map(({ from, to }) => [from, to]).toSorted()).toEqual([
      ["gristmill@example.com", ["a@example.com"]],
      ["gristmill@example.com", ["b@example.com"]],
    ]);
    const source = box.letters[0]?.source ?? "";
    expect(source).toMatch(/^From: Gristmill <gristmill@example\.com>\r?$/m);
    expect(source).toContain(`Message-ID: <${notice.id}@example.com>`);
    expect(source).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(source).toContain("Zeile 3");
  });

  it("nothing in a name or an address adds a header, a recipient or a second letter", async () => {
    const box = await mailbox();
    cleanUp.push(() => box.close());
    const { sendMail } = testNotifications(database.db, { smtp: { url: box.url, from: "gristmill@example.com" } });
    const evil = "x\r\nBcc: eve@evil.example\r\n\r\n<html>\u2028Bcc: eve@evil.example\u0085\u202e";
    await sendMail?.(
      { to: "a@example.com", subject: evil, text: "body\r\n.\r\nRCPT TO:<eve@evil.example>\r\n" },
      AbortSignal.timeout(5000),
    );
    const letters = [...box.letters];
    expect(letters.map(({ to }) => to)).toEqual([["a@example.com"]]);
    const head = (letters[0]?.source ?? "").split(/\r?\n\r?\n/)[0] ?? "";
    expect(head).not.toMatch(/^Bcc:/im);
    expect(head.split(/\r?\n(?!\s)/).map((line) => line.split(":")[0])).not.toContain("Bcc");
    expect(letters[0]?.source).toContain("RCPT TO");
    const addresses = [
      "a@example.com, eve@evil.example",
      "a@example.com>\r\nRCPT TO:<eve@evil.example",
      "eve@evil.example <a@example.com>",
    ];
    for (const to of [
      ...addresses,
      "a@example.com\r\nBcc: eve@evil.example",
      "a@x;eve@evil.example",
      "g: eve@evil.example;",
      "a@b@c",
      "",
    ]) {
      const sent = sendMail?.({ to, subject: "s", text: "t" }, AbortSignal.timeout(5000));
      await expect(sent, to).rejects.toMatchObject({ code: "request.invalid" });
    }
    expect(box.letters).toHaveLength(1);
  });

  it("an address that is refused for good is not tried again; one that is refused for now is", async () => {
    const box = await mailbox((address) =>
      address.startsWith("gone") ? 550 : address.startsWith("full") ? 452 : undefined,
    );
    cleanUp.push(() => box.close());
    const notifications = await running({ smtp: { url: box.url, from: "gristmill@example.com" } });
    const notice = testNotice();
    await notifications.notify(notice, {
      webhooks: [],
      emails: ["gone@example.com", "full@example.com", "ok@example.com"],
    });
    await eventually(hasEnded(notifications, notice.id));
    const states = await notifications.deliveriesOf([notice.id]);
    expect(new Map(states.map((row) => [row.recipient, [row.status, row.attempts, row.last_status]]))).toEqual(
      new Map([
        ["gone@example.com", ["failed", 1, 550]],
        ["full@example.com", ["failed", 3, 452]],
        ["ok@example.com", ["delivered", 1, null]],
      ]),
    );
  });

  it("a mail server that is away is tried again; without one the delivery says so", async () => {
    const box = await mailbox();
    await box.close();
    const notifications = await running({ smtp: { url: box.url, from: "gristmill@example.com" } });
    const away = testNotice();
    await notifications.notify(away, { webhooks: [], emails: ["a@example.com"] });
    await eventually(hasEnded(notifications, away.id));
    expect(await statesOf(notifications, away.id)).toEqual([["failed", 3, null]]);
    await notifications.stop();
    const without = await running();
    const none = testNotice();
    await without.notify(none, { webhooks: [], emails: ["a@example.com"] });
    await eventually(hasEnded(without, none.id));
    expect((await without.deliveriesOf([none.id]))[0]?.last_error).toContain("GRISTMILL_SMTP_URL");
  });

  it("a password is never sent without TLS", async () => {
    // An address of this machine that is not known to be one.
    const box = await mailbox(() => undefined, "127.0.0.2");
    cleanUp.push(() => box.close());
    const url = box.url.replace("//", "//user:secret@");
    const { sendMail } = testNotifications(database.db, { smtp: { url, from: "gristmill@example.com" } });
    await expect(
      sendMail?.({ to: "a@example.com", subject: "s", text: "t" }, AbortSignal.timeout(5000)),
    ).rejects.toMatchObject({
      code: "mail.failed",
      message: expect.stringContaining("ETLS"),
    });
    expect(box.letters).toEqual([]);
  });
});

describe("[NTF8] the log", () => {
  it("forgets what ended more than 30 days ago, and nothing else", async () => {
    const server = await receiver();
    const { id: webhook } = await createWebhook(server.url);
    const first = await running();
    const [old, recent] = [testNotice(), testNotice()];
    for (const notice of [old, recent]) await first.notify(notice, { webhooks: [webhook], emails: [] });
    await eventually(hasEnded(first, old.id, recent.id));
    await sql`update delivery set ended_at = now() - interval '31 days' where message_id = ${old.id}`.execute(
      database.db,
    );
    await first.stop();
    const second = await running();
    await eventually(async () => (await second.deliveriesOf([old.id])).length === 0);
    expect(await second.deliveriesOf([recent.id])).toHaveLength(1);
  });
});
