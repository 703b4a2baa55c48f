/** @file HTTP face of webhooks. */
import {
  createWebhook,
  deleted,
  listOf,
  listQuery,
  updateWebhook,
  type Webhook,
  type WebhookDelivery,
  webhook,
  webhookDelivery,
  webhookWithSecret,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../http/index.ts";
import type { DeliveryRow } from "./delivery-store.ts";
import { secretText } from "./signature.ts";
import type { WebhookRow } from "./webhook-store.ts";
import type { Webhooks, WithSecret } from "./webhooks.ts";

const common = {
  tag: "Webhooks",
  access: { scope: "webhooks:write" },
  charge: { free: "management of the platform itself" },
} as const;
const params = z.strictObject({ webhook: z.string().max(64) });
const secretHeaders = { "cache-control": "no-store" };

/** GET and POST /api/webhooks; GET, PATCH and DELETE of one; its test and its deliveries. */
export const webhookRoutes = (webhooks: Webhooks): readonly Route[] => [
  route({
    ...common,
    method: "GET",
    path: "/api/webhooks",
    summary: "List the organization's webhooks",
    query: listQuery,
    response: listOf(webhook),
    handler: async ({ caller, query }) => ({
      body: pageOf(await webhooks.list(caller.organizationId, query), query.limit, webhookToWire),
    }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/api/webhooks",
    summary: "Make a webhook; this answer alone holds its secret",
    audit: { action: "webhook.created" },
    body: createWebhook,
    response: webhookWithSecret,
    successStatus: 201,
    handler: async ({ caller, body }) => ({
      status: 201,
      headers: secretHeaders,
      body: withSecretToWire(await webhooks.create(caller.organizationId, body)),
    }),
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/webhooks/:webhook",
    summary: "Show a webhook",
    params,
    response: webhook,
    handler: async ({ caller, params }) => ({
      body: webhookToWire(await webhooks.get(caller.organizationId, params.webhook)),
    }),
  }),
  route({
    ...common,
    method: "PATCH",
    path: "/api/webhooks/:webhook",
    summary: "Change a webhook, switch it on or off, or make a new secret, which the answer then holds",
    audit: { action: "webhook.updated" },
    params,
    body: updateWebhook,
    response: z.union([webhook, webhookWithSecret]),
    handler: async ({ caller, params, body }) => ({
      headers: secretHeaders,
      body: withSecretToWire(await webhooks.update(caller.organizationId, params.webhook, body)),
    }),
  }),
  route({
    ...common,
    method: "DELETE",
    path: "/api/webhooks/:webhook",
    summary: "Delete a webhook and its deliveries",
    audit: { action: "webhook.deleted" },
    params,
    response: deleted,
    handler: async ({ caller, params }) => {
      await webhooks.delete(caller.organizationId, params.webhook);
      return { body: { id: params.webhook, object: "webhook", deleted: true } };
    },
  }),
  route({
    ...common,
    method: "POST",
    path: "/api/webhooks/:webhook/test",
    summary: "Send a test message; its delivery tells what came of it",
    audit: { action: "webhook.tested" },
    params,
    response: webhookDelivery,
    successStatus: 202,
    handler: async ({ caller, params }) => ({
      status: 202,
      body: deliveryToWire(await webhooks.test(caller.organizationId, params.webhook)),
    }),
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/webhooks/:webhook/deliveries",
    summary: "List what was sent to a webhook in the last 30 days, and what came of it",
    params,
    query: listQuery,
    response: listOf(webhookDelivery),
    handler: async ({ caller, params, query }) => ({
      body: pageOf(
        await webhooks.deliveries(caller.organizationId, params.webhook, query),
        query.limit,
        deliveryToWire,
      ),
    }),
  }),
];

const webhookToWire = (row: WebhookRow): Webhook => ({
  id: row.id,
  object: "webhook",
  name: row.name,
  url: row.url,
  enabled: row.enabled,
  disabled_reason: row.disabled_reason,
  created_at: row.created_at.toISOString(),
  secret_created_at: row.secret_created_at.toISOString(),
});

const withSecretToWire = ({ row, secret }: WithSecret): Webhook & { secret?: string } => ({
  ...webhookToWire(row),
  ...(secret === undefined ? {} : { secret: secretText(secret) }),
});

const deliveryToWire = (row: DeliveryRow): WebhookDelivery => ({
  id: row.id,
  object: "webhook.delivery",
  webhook_id: row.recipient,
  event_id: row.message_id,
  event_type: row.type,
  status: row.status,
  attempts: row.attempts,
  last_status: row.last_status,
  last_error: row.last_error,
  created_at: row.created_at.toISOString(),
  next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
  ended_at: row.ended_at?.toISOString() ?? null,
});
