/** @file Notifications on a test's database that may call this machine. */
import type { Database } from "../../db/index.ts";
import type { Log } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { createGuardedFetch } from "../../net/index.ts";
import { createSecretBox } from "../../secrets/index.ts";
import { testOrganizationId } from "../../testing/caller.ts";
import { createNotifications, type Notice, type Notifications, type NotificationsDeps } from "../index.ts";

/** A log that nobody reads; this file runs in child processes too, where the test runner is not. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

export const testSecrets = createSecretBox("a secret of tests");

/** Short waits between attempts, unless said otherwise. */
export function testNotifications(db: Database, more: Partial<NotificationsDeps> = {}): Notifications {
  return createNotifications({
    ground: { now: () => new Date(), newId, log: silentLog },
    db,
    secrets: testSecrets,
    fetch: createGuardedFetch({ allowedAddresses: ["127.0.0.1"], timeoutMs: 1000 }),
    smtp: undefined,
    delays: [10, 10],
    pollMs: 50,
    ...more,
  });
}

/** A notice of the test organization. */
export const testNotice = (more: Partial<Notice> = {}): Notice => ({
  id: newId("alert"),
  organizationId: testOrganizationId,
  type: "budget.threshold_reached",
  time: new Date("2026-11-23T12:00:00Z"),
  data: { spent: "1.5" },
  subject: "A budget",
  text: "It is spent.\n",
  ...more,
});
