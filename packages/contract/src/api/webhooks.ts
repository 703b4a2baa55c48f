/** @file Webhooks: where the platform tells what happens, signed as Standard Webhooks (https://www.standardwebhooks.com). */
import { z } from "zod";
import { timestamp } from "./common.ts";

/** What a webhook can be told of; `webhook.test` comes only when asked for. */
export const webhookEventTypes = ["budget.threshold_reached", "webhook.test"] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** The body of every webhook. The header `webhook-id` is its `id`: the same at every attempt, so that a receiver sees repeats. */
export const webhookEvent = z.object({
  id: z.string(),
  type: z.enum(webhookEventTypes),
  /** When it happened, not when it is sent. */
  timestamp,
  organization_id: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type WebhookEvent = z.infer<typeof webhookEvent>;

export const webhook = z.object({
  id: z.string(),
  object: z.literal("webhook"),
  name: z.string(),
  url: z.string(),
  enabled: z.boolean(),
  /** Why the platform switched it off: the receiver answered 410. */
  disabled_reason: z.string().nullable(),
  created_at: timestamp,
  /** When the secret was last made; for a day after that, the one before signs too. */
  secret_created_at: timestamp,
});
export type Webhook = z.infer<typeof webhook>;

/** The only answer that holds the secret ("whsec_" and base64 of its 32 bytes). */
export const webhookWithSecret = webhook.extend({ secret: z.string() });
export type WebhookWithSecret = z.infer<typeof webhookWithSecret>;

/** One line of text that a person reads: no control characters, so that it can stand in a header. */
export const displayName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, "expected one line without control characters");

const webhookUrl = z.url({ protocol: /^https?$/, error: "expected a URL beginning with https://" }).max(2000);

export const createWebhook = z.strictObject({ name: displayName, url: webhookUrl });
export type CreateWebhook = z.infer<typeof createWebhook>;

export const updateWebhook = z.strictObject({
  name: displayName.optional(),
  url: webhookUrl.optional(),
  /** Switching it on again forgets why it was switched off. */
  enabled: z.boolean().optional(),
  /** Makes a new secret, which the answer holds. */
  rotate_secret: z.literal(true).optional(),
});
export type UpdateWebhook = z.infer<typeof updateWebhook>;

export const deliveryStatuses = ["pending", "delivered", "failed"] as const;

/** One message to one receiver, with what came of it. */
export const webhookDelivery = z.object({
  id: z.string(),
  object: z.literal("webhook.delivery"),
  webhook_id: z.string(),
  /** `id` of the message: the header `webhook-id`. */
  event_id: z.string(),
  event_type: z.string(),
  status: z.enum(deliveryStatuses),
  attempts: z.number().int(),
  /** HTTP status of the last answer. */
  last_status: z.number().int().nullable(),
  last_error: z.string().nullable(),
  created_at: timestamp,
  /** null: there will be none. */
  next_attempt_at: timestamp.nullable(),
  ended_at: timestamp.nullable(),
});
export type WebhookDelivery = z.infer<typeof webhookDelivery>;
