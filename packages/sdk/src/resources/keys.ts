import type { ApiKey, CreatedKey, CreateKey } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, Transport } from "../http/transport.ts";

/** API keys of the project. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<ApiKey> {
    return new Listing(this.#transport, "/api/keys", options);
  }

  /** The answer's `key` is shown this once and never again. */
  create(body: CreateKey, options?: CallOptions): Promise<CreatedKey> {
    return this.#transport.json({ method: "POST", path: "/api/keys", json: body, ...options });
  }

  /** @throws GristmillError `key.not_found`. */
  get(key: string, options?: CallOptions): Promise<ApiKey> {
    return this.#transport.json({ method: "GET", path: `/api/keys/${encodeURIComponent(key)}`, ...options });
  }

  /** The key is refused from now on; its usage keeps its name. @throws GristmillError `key.not_found`. */
  async revoke(key: string, options?: CallOptions): Promise<void> {
    await this.#transport.send({ method: "DELETE", path: `/api/keys/${encodeURIComponent(key)}`, ...options });
  }
}
