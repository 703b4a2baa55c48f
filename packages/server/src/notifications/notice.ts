/** @file What is told, and to whom. */
import type { OrganizationId, WebhookEventType } from "@gristmill/contract";

/** Something that happened, for people and for machines. */
export interface Notice {
  /** Stable: a notice given again under the same id is sent to nobody twice. Receivers see it as `webhook-id`. */
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly type: WebhookEventType;
  readonly time: Date;
  /** For webhooks: JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** For mail: one line and plain text. */
  readonly subject: string;
  readonly text: string;
}

/** Ids of the organization's webhooks, and addresses. What does not exist (any more) is left out. */
export interface Recipients {
  readonly webhooks: readonly string[];
  readonly emails: readonly string[];
}

/** One message to one receiver, on its way. */
export interface Delivery {
  readonly id: string;
  readonly channel: "webhook" | "email";
  /** The webhook's id, or the address. */
  readonly recipient: string;
  readonly messageId: string;
  readonly type: string;
  /** A webhook's body as it is sent; of mail, JSON of its subject and text. */
  readonly body: string;
  /** This one counted. */
  readonly attempts: number;
}

/** What came of one attempt. */
export type Outcome =
  | { readonly kind: "delivered"; readonly status: number | null }
  /** `isFinal`: trying again won't help. */
  | { readonly kind: "refused"; readonly status: number | null; readonly error: string; readonly isFinal: boolean }
  /** The server stops: it does not count as an attempt. */
  | { readonly kind: "interrupted" };

/** Makes one attempt; never throws for what the receiver does. */
export type Send = (delivery: Delivery, signal: AbortSignal) => Promise<Outcome>;
