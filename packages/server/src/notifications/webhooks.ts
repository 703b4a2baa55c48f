/** @file Rules of webhooks. */
import { randomBytes } from "node:crypto";
import {
  AppError,
  type CreateWebhook,
  type ListQuery,
  type OrganizationId,
  type UpdateWebhook,
  type WebhookEvent,
} from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Ground } from "../feature.ts";
import type { CheckedFetch } from "../net/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { type DeliveryRow, deliveriesOf, insertDeliveries, listDeliveries } from "./delivery-store.ts";
import { secretLength } from "./signature.ts";
import type { WebhookChange, WebhookRow, WebhookStore } from "./webhook-store.ts";

/** What the service is made from. */
export interface WebhooksParts {
  readonly ground: Ground;
  readonly db: Database;
  readonly store: WebhookStore;
  readonly secrets: SecretBox;
  readonly fetch: Pick<CheckedFetch, "check">;
  /** Called when deliveries were added. */
  readonly onAdded: () => void;
}

/** A webhook with the secret that was just made for it. */
export interface WithSecret {
  readonly row: WebhookRow;
  /** undefined: it stays as it was. */
  readonly secret: Buffer | undefined;
}

const maxWebhooks = 50;
/** For so long the secret before signs too: receivers change theirs without losing a message. */
const bothSecretsMs = 86_400_000;

/** Ties a sealed secret to its webhook. */
export const secretContext = (id: string): string => `webhook ${id}`;

/** Webhooks of organizations. */
export class Webhooks {
  readonly #parts: WebhooksParts;

  constructor(parts: WebhooksParts) {
    this.#parts = parts;
  }

  /** @throws AppError `url.forbidden`, `webhook.too_many`. */
  async create(organizationId: OrganizationId, { name, url }: CreateWebhook): Promise<WithSecret> {
    const { ground, store, secrets, fetch } = this.#parts;
    await fetch.check(url);
    const id = ground.newId("webhook");
    const secret = randomBytes(secretLength);
    const row = {
      id,
      organization_id: organizationId,
      name,
      url,
      enabled: true,
      disabled_reason: null,
      secret: secrets.seal(secret, secretContext(id)),
      secret_created_at: ground.now(),
      previous_secret: null,
      previous_ends_at: null,
    };
    const written = await store.insert(row, maxWebhooks);
    if (written !== undefined) return { row: written, secret };
    throw new AppError("webhook.too_many", `An organization has ${maxWebhooks} webhooks at most.`);
  }

  /** @throws AppError `webhook.not_found`. */
  async get(organizationId: OrganizationId, id: string): Promise<WebhookRow> {
    return found(await this.#parts.store.findOf(organizationId, id), id);
  }

  async list(organizationId: OrganizationId, query: ListQuery): Promise<WebhookRow[]> {
    return await this.#parts.store.list(organizationId, query);
  }

  /** @throws AppError `webhook.not_found`, `url.forbidden`. */
  async update(organizationId: OrganizationId, id: string, input: UpdateWebhook): Promise<WithSecret> {
    const { ground, store, secrets, fetch } = this.#parts;
    const before = await this.get(organizationId, id);
    if (input.url !== undefined) await fetch.check(input.url);
    const now = ground.now();
    const secret = input.rotate_secret ? randomBytes(secretLength) : undefined;
    const change: WebhookChange = {
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(input.url === undefined ? {} : { url: input.url }),
      ...(input.enabled === undefined ? {} : { enabled: input.enabled, disabled_reason: null }),
      ...(secret === undefined
        ? {}
        : {
            secret: secrets.seal(secret, secretContext(id)),
            secret_created_at: now,
            previous_secret: before.secret,
            previous_ends_at: new Date(now.getTime() + bothSecretsMs),
          }),
    };
    const row = Object.keys(change).length === 0 ? before : await store.update(organizationId, id, change);
    return { row: found(row, id), secret };
  }

  /** @throws AppError `webhook.not_found`. */
  async delete(organizationId: OrganizationId, id: string): Promise<void> {
    if (!(await this.#parts.store.delete(organizationId, id))) throw notFound(id);
  }

  /** Sends a message that says nothing but that it arrives. @throws AppError `webhook.not_found`. */
  async test(organizationId: OrganizationId, id: string): Promise<DeliveryRow> {
    const { ground, db, onAdded } = this.#parts;
    const { name } = await this.get(organizationId, id);
    const messageId = ground.newId("alert");
    const event: WebhookEvent = {
      id: messageId,
      type: "webhook.test",
      timestamp: ground.now().toISOString(),
      organization_id: organizationId,
      data: { webhook_id: id, name },
    };
    const delivery = { id: ground.newId("delivery"), organizationId, channel: "webhook", recipient: id } as const;
    await insertDeliveries(db, [{ ...delivery, messageId, type: event.type, body: JSON.stringify(event) }]);
    onAdded();
    const [row] = await deliveriesOf(db, [messageId]);
    // Deleted in this moment.
    return row ?? Promise.reject(notFound(id));
  }

  /** @throws AppError `webhook.not_found`. */
  async deliveries(organizationId: OrganizationId, id: string, query: ListQuery): Promise<readonly DeliveryRow[]> {
    await this.get(organizationId, id);
    return await listDeliveries(this.#parts.db, id, query);
  }
}

const notFound = (id: string): AppError => new AppError("webhook.not_found", `There is no webhook "${id}".`);

function found(row: WebhookRow | undefined, id: string): WebhookRow {
  if (row === undefined) throw notFound(id);
  return row;
}
