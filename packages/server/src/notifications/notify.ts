/** @file From a notice to its deliveries. */
import type { WebhookEvent } from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { NewId } from "../ids.ts";
import { insertDeliveries } from "./delivery-store.ts";
import type { Notice, Recipients } from "./notice.ts";

/**
 * Puts a notice into the queue, for each receiver once. With a transaction it goes with what the transaction writes, or not
 * at all; the courier finds it within seconds of the commit.
 */
export type Notify = (notice: Notice, recipients: Recipients, transaction?: Transaction<unknown>) => Promise<void>;

/** @param onAdded called when a notice was added outside of a transaction. */
export function createNotify(db: Database, newId: NewId, onAdded: () => void): Notify {
  return async (notice, { webhooks, emails }, transaction) => {
    const { id: messageId, organizationId, type, subject, text } = notice;
    const common = { organizationId, messageId, type };
    const event: WebhookEvent = {
      id: messageId,
      type,
      timestamp: notice.time.toISOString(),
      organization_id: organizationId,
      data: { ...notice.data },
    };
    const deliveriesTo = (channel: "webhook" | "email", recipients: readonly string[], body: string) =>
      [...new Set(recipients)].map((recipient) => ({ ...common, id: newId("delivery"), channel, recipient, body }));
    await insertDeliveries(transaction ?? db, [
      ...deliveriesTo("webhook", webhooks, JSON.stringify(event)),
      ...deliveriesTo("email", emails, JSON.stringify({ subject, text })),
    ]);
    if (transaction === undefined) onAdded();
  };
}
