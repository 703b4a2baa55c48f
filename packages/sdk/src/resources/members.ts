import type {
  AcceptInvitation,
  CreatedInvitation,
  CreateInvitation,
  Invitation,
  Member,
  UpdateMember,
} from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** In a project instead of the whole organization. */
export interface InProject {
  /** Name or id. */
  readonly project?: string;
}

/** Members of the organization and their roles. */
export class Members {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** With `project`: who has a role of its own there. */
  list(options: ListOptions & InProject = {}): Listing<Member> {
    return new Listing(this.#transport, "/api/members", options, { project: options.project });
  }

  /** Gives another role. @param user id. @throws GristmillError `member.last_owner`. */
  update(user: string, body: UpdateMember, options: CallOptions & InProject = {}): Promise<Member> {
    const { project, signal } = options;
    return this.#transport.json({
      method: "PATCH",
      path: path`/api/members/${user}`,
      json: body,
      query: { project },
      signal,
    });
  }

  /** Takes the role away. @throws GristmillError `member.last_owner`. */
  async remove(user: string, options: CallOptions & InProject = {}): Promise<void> {
    const { project, signal } = options;
    await this.#transport.send({ method: "DELETE", path: path`/api/members/${user}`, query: { project }, signal });
  }
}

/** Invitations to become a member. */
export class Invitations {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Invitation> {
    return new Listing(this.#transport, "/api/invitations", options);
  }

  /** The answer's `token` is shown this once; whoever has it and the address joins within 7 days. */
  create(body: CreateInvitation, options?: PostOptions): Promise<CreatedInvitation> {
    return this.#transport.post("/api/invitations", body, options);
  }

  /** The token is worth nothing from now on. */
  withdraw(invitation: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/invitations/${invitation}`, options);
  }

  /** Joins another organization or project, as the person who is signed in. New people join by `Gristmill.join`. */
  async accept(token: string, options?: CallOptions): Promise<void> {
    const json: AcceptInvitation = { token };
    await this.#transport.send({ method: "POST", path: "/api/invitations/accept", json, once: true, ...options });
  }
}
