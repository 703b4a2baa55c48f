/** @file Ledger, price book, budgets and notifications as the platform puts them together, on a test's database. */
import type { KeyId, Meter, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { createBilling } from "../../billing/index.ts";
import type { Database } from "../../db/index.ts";
import type { Log } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { createMetering, type Metering, type Reservation, type UsageRecord } from "../../metering/index.ts";
import { createGuardedFetch } from "../../net/index.ts";
import { createNotifications, type Notifications } from "../../notifications/index.ts";
import { createSecretBox } from "../../secrets/index.ts";
import { testOrganizationId } from "../../testing/caller.ts";
import { type Budgets, createBudgets } from "../index.ts";

/** A log that nobody reads; this file runs in child processes too, where the test runner is not. */
const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** One server's parts. */
export interface TestPlatform {
  readonly metering: Metering;
  readonly budgets: Budgets;
  readonly notifications: Notifications;
  stop(): Promise<void>;
}

/**
 * Starts them; the caller stops them.
 * @param everyMs how often alerts and reconciliation come. @param graceMs how long a server may be silent.
 */
export async function testPlatform(db: Database, everyMs = 50, graceMs = 5000): Promise<TestPlatform> {
  const ground = { now: () => new Date(), newId, log: silentLog };
  const notifications = createNotifications({
    ground,
    db,
    secrets: createSecretBox("a secret of tests"),
    fetch: createGuardedFetch({ allowedAddresses: ["127.0.0.1"], timeoutMs: 1000 }),
    smtp: undefined,
    delays: [10, 10],
    pollMs: 50,
  });
  const { prices } = createBilling({ db });
  const rounds = { alertEveryMs: everyMs, reconcileEveryMs: everyMs };
  const budgets = createBudgets({ ground, db, notifications, prices, ...rounds });
  const metering = createMetering({
    db,
    now: ground.now,
    log: silentLog,
    policy: { prices, rules: [budgets.rules] },
    graceMs,
  });
  await metering.start();
  await notifications.start();
  await budgets.start();
  return {
    metering,
    budgets,
    notifications,
    stop: async () => {
      await budgets.stop();
      await notifications.stop();
      await metering.stop();
    },
  };
}

/** Who asks for how much. */
export interface Wish {
  readonly projectId: ProjectId;
  readonly keyId?: KeyId;
  readonly meter?: Meter;
  readonly quantity: number;
  readonly model?: string;
}

/** Claims so much of a meter. @throws AppError `budget.exceeded`. */
export function reserve({ metering }: TestPlatform, wish: Wish): Promise<Reservation> {
  const { projectId, keyId = null, meter = "service.images", quantity, model } = wish;
  const dimensions: Record<string, string> = model === undefined ? {} : { model };
  const estimates = [{ meter, quantity: String(quantity), dimensions }];
  const requestId = newId("request");
  return metering.ledger.reserve({ requestId, organizationId: testOrganizationId, projectId, keyId, estimates });
}

/** An event of a reservation. */
export const eventOf = (
  { requestId, keyId, admittedAt }: Reservation,
  { meter = "service.images", quantity, model }: Omit<Wish, "projectId">,
): UsageRecord => ({
  id: `${requestId}:${meter}`,
  meter,
  quantity: String(quantity),
  time: new Date(),
  admittedAt,
  requestId,
  keyId,
  dimensions: model === undefined ? {} : { model },
});

/** Claims and uses it all. */
export async function use(platform: TestPlatform, wish: Wish): Promise<void> {
  const reservation = await reserve(platform, wish);
  await platform.metering.ledger.settle(reservation, [eventOf(reservation, wish)]);
}

/** What the ledger has counted, by allowance. */
export async function allowances(
  db: Database,
): Promise<Readonly<Record<string, readonly [used: string, held: string]>>> {
  const { rows } = await sql<{ id: string; used: string; held: string }>`
    select id, trim_scale(used)::text as used, trim_scale(held)::text as held from allowance`.execute(db);
  return Object.fromEntries(rows.map(({ id, used, held }) => [id, [used, held] as const]));
}
