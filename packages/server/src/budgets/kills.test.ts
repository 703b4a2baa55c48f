/** @file Hard budgets and their alerts, while the servers that keep them are killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Budget, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import { spendOf } from "../billing/index.ts";
import type { Http } from "../http/index.ts";
import { type Receiver, webhookReceiver } from "../notifications/testing/receivers.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";
import { testHttp } from "../testing/test-http.ts";
import { type TestPlatform, testPlatform } from "./testing/platform.ts";

let database: TestDatabase;
let project: ProjectId;
let platform: TestPlatform;
let http: Http;
let receiver: Receiver;
let children: ChildProcess[];
/** What the servers printed that should not have happened. */
let faults: string[];

beforeEach(async () => {
  children = [];
  faults = [];
  receiver = await webhookReceiver();
  database = await testDatabase();
  project = await insertTestProject(database.db);
  platform = await testPlatform(database.db, 50, 1500);
  http = await testHttp([...platform.budgets.routes, ...platform.notifications.routes], {
    owner: { projectId: project },
  });
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  await http.stop(0);
  await platform.stop();
  await receiver.close();
  await database.close();
});

async function serve(): Promise<ChildProcess> {
  const script = new URL("./testing/spend-forever.ts", import.meta.url).pathname;
  const args = [script, JSON.stringify(database.connection), project];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const ready = Promise.withResolvers<void>();
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => (line === "ready" ? ready.resolve() : faults.push(line)));
  child.once("exit", (code) => ready.reject(new Error(`the server ended with ${code}`)));
  await ready.promise;
  return child;
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

const headers = { authorization: "Bearer owner" };
const post = async (url: string, payload: object) =>
  (await http.app.inject({ method: "POST", url, headers, payload })).json();

it("[BUD1] [BUD4] three servers that are killed again and again spend a hard budget to its end and not beyond, and tell each threshold once", {
  timeout: 180_000,
}, async () => {
  const { db } = database;
  // PostgreSQL itself refuses whatever would go beyond: no moment is missed.
  await sql`
    create function never_beyond() returns trigger language plpgsql as $$
    begin
      if new.used + new.held > (select amount from budget where id = split_part(new.id, ':', 1)) then
        raise exception 'beyond: % used, % held', new.used, new.held;
      end if;
      return null;
    end $$`.execute(db);
  await sql`create trigger never_beyond after insert or update on allowance
    for each row execute function never_beyond()`.execute(db);
  const { id: webhook } = await post("/api/webhooks", { name: "alerts", url: receiver.url });
  const thresholds = [10, 20, 30, 40, 50, 60, 70, 80, 90];
  const notify = { emails: [], webhooks: [webhook] };
  const subject = { type: "project", id: project };
  const { id } = await post("/api/budgets", {
    name: "hard",
    subject,
    amount: "3",
    period: "total",
    hard: true,
    thresholds,
    notify,
  });
  const show = async (): Promise<Budget> => (await http.app.inject({ url: `/api/budgets/${id}`, headers })).json();

  const servers = await Promise.all([serve(), serve(), serve()]);
  for (let round = 0; Number((await show()).remaining) > 0.1 && round < 60; round++) {
    await sleep(200);
    await kill(servers[round % 3]);
    servers[round % 3] = await serve();
  }
  await Promise.all(servers.map(kill));

  // The dead hold nothing for long: this server, which lives, ends their claims.
  await expect.poll(async () => (await show()).reserved, { timeout: 20_000, interval: 100 }).toBe("0");
  const span = { from: new Date("2020-01-01Z"), to: new Date("2100-01-01Z") };
  const { amount } = await spendOf(db, { ...span, projectIds: [project] });
  const { spent } = await show();
  expect(spent).toBe(amount);
  expect(Number(spent)).toBeGreaterThan(2.7);
  expect(Number(spent)).toBeLessThanOrEqual(3);

  const told = async () => (await show()).alerts.filter(({ deliveries }) => deliveries[0]?.status === "delivered");
  await sql`update delivery set next_attempt_at = now() where status = 'pending'`.execute(db);
  await expect.poll(async () => (await told()).length, { timeout: 20_000, interval: 100 }).toBe(thresholds.length);
  const { alerts } = await show();
  expect(alerts.map(({ threshold }) => threshold).toSorted((a, b) => a - b)).toEqual(thresholds);
  const ids = new Set(receiver.calls.map(({ headers }) => headers["webhook-id"]));
  expect([...ids].toSorted()).toEqual(alerts.map((alert) => alert.id).toSorted());
  expect(faults).toEqual([]);
});
