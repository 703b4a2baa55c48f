import type { CreateServiceAccount, ServiceAccount, UpdateServiceAccount } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** Accounts of programs: their role bounds what their keys may do. */
export class ServiceAccounts {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<ServiceAccount> {
    return new Listing(this.#transport, "/api/service-accounts", options);
  }

  /** @throws GristmillError `service_account.not_found`. */
  get(account: string, options?: CallOptions): Promise<ServiceAccount> {
    return this.#transport.get(path`/api/service-accounts/${account}`, options);
  }

  /** @throws GristmillError `service_account.name_taken`. */
  create(body: CreateServiceAccount, options?: PostOptions): Promise<ServiceAccount> {
    return this.#transport.post("/api/service-accounts", body, options);
  }

  /** `disabled: true` refuses its keys at once. */
  update(account: string, body: UpdateServiceAccount, options?: CallOptions): Promise<ServiceAccount> {
    return this.#transport.patch(path`/api/service-accounts/${account}`, body, options);
  }

  /** Its keys are refused from now on. */
  delete(account: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/service-accounts/${account}`, options);
  }
}
