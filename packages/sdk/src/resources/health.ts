import type { CallOptions, Transport } from "../http/transport.ts";

/** Whether the platform runs. Needs no key. */
export class Health {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** True when the process answers. @throws GristmillError `client.unreachable` when nothing does. */
  live(options?: CallOptions): Promise<boolean> {
    return this.#ok("/healthz", options);
  }

  /** True when requests are taken: the database answers and the server is not stopping. */
  ready(options?: CallOptions): Promise<boolean> {
    return this.#ok("/readyz", options);
  }

  async #ok(path: string, options?: CallOptions): Promise<boolean> {
    const response = await this.#transport.send({ method: "GET", path, accept: [503], ...options });
    // Any program may answer 200 on that port; only ours says this.
    return response.ok && /^\{"status":"ok"\}$/.test(await response.text());
  }
}
