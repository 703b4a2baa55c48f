/** @file notifications: who is told what happens. Read in this order: notice, notify, courier, send-webhook, send-mail. */
import type { OrganizationId } from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { CheckedFetch } from "../net/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { Courier } from "./courier.ts";
import { type DeliveryRow, deliveriesOf } from "./delivery-store.ts";
import { createNotify, type Notify } from "./notify.ts";
import { webhookRoutes } from "./routes.ts";
import { createSendMail, mailSender, type SendMail, type SmtpSettings } from "./send-mail.ts";
import { webhookSender } from "./send-webhook.ts";
import { WebhookStore } from "./webhook-store.ts";
import { Webhooks } from "./webhooks.ts";

export type { DeliveryRow } from "./delivery-store.ts";
export type { Notice, Recipients } from "./notice.ts";
export type { Notify } from "./notify.ts";
export { createSendMail, type Mail, type SendMail, type SmtpSettings } from "./send-mail.ts";

/** What notifications are made from. */
export interface NotificationsDeps {
  readonly ground: Ground;
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly fetch: CheckedFetch;
  /** undefined: no mail is sent. */
  readonly smtp: SmtpSettings | undefined;
  /** Milliseconds after each attempt that failed; default: over a day and a half. */
  readonly delays?: readonly number[];
  /** How often the queue is looked at; default 2000. */
  readonly pollMs?: number;
}

/** Webhooks, mail, and their log. */
export interface Notifications extends Feature {
  readonly notify: Notify;
  /** One letter now, for those who wait for it; undefined: the operator has named no mail server. */
  readonly sendMail: SendMail | undefined;
  /** Looks at the queue now: for who has notified in a transaction that has ended. */
  readonly hurry: () => void;
  /** Those of the ids that are no webhooks of the organization. */
  readonly missingWebhooks: (organizationId: OrganizationId, ids: readonly string[]) => Promise<readonly string[]>;
  /** What became of notices. */
  readonly deliveriesOf: (
    noticeIds: readonly string[],
    transaction?: Transaction<unknown>,
  ) => Promise<readonly DeliveryRow[]>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Delivers from `start` to `stop`; what a killed server left is delivered by the next, or by another on the same database. */
export function createNotifications(deps: NotificationsDeps): Notifications {
  const { ground, db, secrets, fetch, smtp, delays, pollMs } = deps;
  const store = new WebhookStore(db);
  const sendMail = smtp === undefined ? undefined : createSendMail(smtp);
  const courier = new Courier({
    db,
    log: ground.log,
    send: { webhook: webhookSender({ store, secrets, fetch, now: ground.now }), email: mailSender(sendMail) },
    ...(delays === undefined ? {} : { delays }),
    ...(pollMs === undefined ? {} : { pollMs }),
  });
  const hurry = () => courier.call();
  const webhooks = new Webhooks({ ground, db, store, secrets, fetch, onAdded: hurry });
  return {
    routes: webhookRoutes(webhooks),
    notify: createNotify(db, ground.newId, hurry),
    sendMail,
    hurry,
    missingWebhooks: (organizationId, ids) => store.missing(organizationId, ids),
    deliveriesOf: (noticeIds, transaction) => deliveriesOf(transaction ?? db, noticeIds),
    start: async () => courier.start(),
    stop: () => courier.stop(),
  };
}
