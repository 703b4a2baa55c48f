import type { CreateUpstreamInput, UpdateUpstreamInput, Upstream } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** Upstreams: models behind other servers of OpenAI's API, for deployments to call. */
export class Upstreams {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Upstream> {
    return new Listing(this.#transport, "/api/upstreams", options);
  }

  /** @param upstream name or id. @throws GristmillError `upstream.not_found`. */
  get(upstream: string, options?: CallOptions): Promise<Upstream> {
    return this.#transport.get(path`/api/upstreams/${upstream}`, options);
  }

  /** Credentials and headers are never answered. @throws GristmillError `url.forbidden`, `upstream.name_taken`. */
  create(body: CreateUpstreamInput, options?: PostOptions): Promise<Upstream> {
    return this.#transport.post("/api/upstreams", body, options);
  }

  /** Changes what is named; deployments that call it do so in the new way at once. Another host needs its credentials again. */
  update(upstream: string, body: UpdateUpstreamInput, options?: CallOptions): Promise<Upstream> {
    return this.#transport.patch(path`/api/upstreams/${upstream}`, body, options);
  }

  /** @throws GristmillError `upstream.in_use`. */
  delete(upstream: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/upstreams/${upstream}`, options);
  }
}
