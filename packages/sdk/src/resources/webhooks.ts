import type { CreateWebhook, UpdateWebhook, Webhook, WebhookDelivery, WebhookWithSecret } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** Webhooks: where the platform tells what happens. */
export class Webhooks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Webhook> {
    return new Listing(this.#transport, "/api/webhooks", options);
  }

  /** @throws GristmillError `webhook.not_found`. */
  get(webhook: string, options?: CallOptions): Promise<Webhook> {
    return this.#transport.get(path`/api/webhooks/${webhook}`, options);
  }

  /** The answer's `secret`, which signs every message, is shown this once. */
  create(body: CreateWebhook, options?: PostOptions): Promise<WebhookWithSecret> {
    return this.#transport.post("/api/webhooks", body, options);
  }

  /** Changes what is named; with `rotate_secret` the answer holds the new secret. */
  update(webhook: string, body: UpdateWebhook, options?: CallOptions): Promise<Webhook | WebhookWithSecret> {
    return this.#transport.patch(path`/api/webhooks/${webhook}`, body, options);
  }

  delete(webhook: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/webhooks/${webhook}`, options);
  }

  /** Sends a message of type `webhook.test`; `deliveries` tells what came of it. */
  test(webhook: string, options?: PostOptions): Promise<WebhookDelivery> {
    return this.#transport.post(path`/api/webhooks/${webhook}/test`, undefined, options);
  }

  /** What was sent, and what came of it. */
  deliveries(webhook: string, options?: ListOptions): Listing<WebhookDelivery> {
    return new Listing(this.#transport, path`/api/webhooks/${webhook}/deliveries`, options);
  }
}
