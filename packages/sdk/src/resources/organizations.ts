import type { CreateOrganization, Organization, UpdateOrganization, UsageReport } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";
import { type UsageOptions, usageQueryOf } from "./usage.ts";

/** Which usage of an organization. */
export interface OrganizationUsageOptions extends UsageOptions {
  /** Id of one project; default: all, those archived too. */
  readonly project?: string;
}

/** Organizations: who pays; each holds projects and members. */
export class Organizations {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Those that the caller is a member of; for the admin key, all. */
  list(options?: ListOptions): Listing<Organization> {
    return new Listing(this.#transport, "/api/organizations", options);
  }

  /** @param organization name or id. @throws GristmillError `organization.not_found`. */
  get(organization: string, options?: CallOptions): Promise<Organization> {
    return this.#transport.get(path`/api/organizations/${organization}`, options);
  }

  /** For the admin key. @throws GristmillError `organization.name_taken`. */
  create(body: CreateOrganization, options?: PostOptions): Promise<Organization> {
    return this.#transport.post("/api/organizations", body, options);
  }

  /** Changes what is named. */
  update(organization: string, body: UpdateOrganization, options?: CallOptions): Promise<Organization> {
    return this.#transport.patch(path`/api/organizations/${organization}`, body, options);
  }

  /** What all its projects used, with exact amounts and their total. */
  usage(organization: string, options: OrganizationUsageOptions = {}): Promise<UsageReport> {
    const query = { ...usageQueryOf(options), project: options.project };
    return this.#transport.get(path`/api/organizations/${organization}/usage`, { signal: options.signal }, query);
  }
}
