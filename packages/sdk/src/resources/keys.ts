import type { ApiKey, CreatedKey, CreateKey, RotateKey, UpdateKey } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

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
  create(body: CreateKey, options?: PostOptions): Promise<CreatedKey> {
    return this.#transport.post("/api/keys", body, options);
  }

  /** @throws GristmillError `key.not_found`. */
  get(key: string, options?: CallOptions): Promise<ApiKey> {
    return this.#transport.get(path`/api/keys/${key}`, options);
  }

  /** Changes what is named. */
  update(key: string, body: UpdateKey, options?: CallOptions): Promise<ApiKey> {
    return this.#transport.patch(path`/api/keys/${key}`, body, options);
  }

  /** A new secret for the same key, shown this once; the old one goes on for `grace_seconds`. @throws GristmillError `key.revoked`. */
  rotate(key: string, body: RotateKey = {}, options?: PostOptions): Promise<CreatedKey> {
    return this.#transport.post(path`/api/keys/${key}/rotate`, body, options);
  }

  /** The key is refused from now on; its usage keeps its name. @throws GristmillError `key.not_found`. */
  revoke(key: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/keys/${key}`, options);
  }
}
