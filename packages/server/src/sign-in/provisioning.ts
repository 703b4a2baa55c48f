/** @file Who a provider's answer stands for: known by its subject, else by a verified address, else new and invited. */
import { AppError, type OrganizationId, type UserId } from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { Memberships, OpenInvitation } from "../identity/index.ts";
import type { NewId } from "../ids.ts";
import type { Journal } from "./journal.ts";
import type { Claims } from "./open-id.ts";
import { type ProviderRow, ProviderStore } from "./provider-store.ts";
import { SignInStore } from "./store.ts";
import type { Visit } from "./visit.ts";

/** What provisioning needs. */
export interface ProvisioningParts {
  readonly db: Database;
  readonly memberships: Pick<Memberships, "findInvitation" | "acceptInvitation" | "addMember">;
  readonly journal: Journal;
  readonly newId: NewId;
  readonly now: () => Date;
}

/** Somebody whom a provider sends. */
export interface Arrival {
  readonly provider: ProviderRow;
  readonly claims: Claims;
  readonly invitation: string | undefined;
  readonly visit: Visit;
}

/** Claims whose address the provider may vouch for, and does. */
type Vouched = Claims & { readonly email: string };

/** Finds or makes accounts. */
export class Provisioning {
  readonly #parts: ProvisioningParts;

  constructor(parts: ProvisioningParts) {
    this.#parts = parts;
  }

  /** @throws AppError `auth.not_invited`, `auth.single_sign_on_failed`, `invitation.not_found`, `invitation.other_address`. */
  async userOf(arrival: Arrival): Promise<UserId> {
    const { provider, claims, invitation, visit } = arrival;
    const invited = invitation === undefined ? undefined : await this.#parts.memberships.findInvitation(invitation);
    return await this.#parts.db.transaction().execute(async (transaction) => {
      const known = await new ProviderStore(transaction).findUserId(provider.id, claims.subject);
      const userId = known ?? (await this.#firstTime(transaction, arrival, invited));
      if (invitation !== undefined) await this.#join(transaction, { invitation, userId, visit });
      return userId;
    });
  }

  async #firstTime(
    transaction: Transaction<unknown>,
    { provider, claims, visit }: Arrival,
    invited: OpenInvitation | undefined,
  ): Promise<UserId> {
    const { memberships } = this.#parts;
    const vouched = requireVouched(provider, claims);
    const role = provider.default_role;
    const existing = await new SignInStore(transaction).findUserByEmail(vouched.email);
    let userId: UserId;
    if (existing !== undefined) userId = await this.#takeOver(transaction, existing);
    else {
      const organizationId = role !== null ? provider.organization_id : invitingOf(vouched, invited);
      userId = await this.#create(transaction, { vouched, organizationId, visit });
    }
    if (!(await new ProviderStore(transaction).link(provider.id, claims.subject, userId))) throw twiceAtOnce();
    if (role !== null)
      await memberships.addMember(transaction, { organizationId: provider.organization_id, userId, role });
    return userId;
  }

  async #create(
    transaction: Transaction<unknown>,
    { vouched, organizationId, visit }: { vouched: Vouched; organizationId: OrganizationId; visit: Visit },
  ): Promise<UserId> {
    const { newId, now, journal } = this.#parts;
    const { email } = vouched;
    const name = vouched.name ?? email.split("@")[0] ?? email;
    const account = { id: newId("user"), email, name, password: null, email_verified_at: now() };
    const user = await new SignInStore(transaction).insertUserIfAbsent(account);
    if (user === undefined) throw twiceAtOnce();
    const told = { action: "user.created", organizationId, of: user.id, targetId: user.id } as const;
    await journal.tellOne(visit, told, transaction);
    return user.id;
  }

  /**
   * Whoever made an account for an address that nobody had verified may not be the address's owner, who comes now: the
   * password and the sessions of before end.
   */
  async #takeOver(
    transaction: Transaction<unknown>,
    user: { readonly id: UserId; readonly email_verified_at: Date | null },
  ): Promise<UserId> {
    if (user.email_verified_at !== null) return user.id;
    const store = new SignInStore(transaction);
    await store.updateUser(user.id, { password: null, email_verified_at: this.#parts.now() });
    await store.deleteSessions(user.id);
    return user.id;
  }

  async #join(
    transaction: Transaction<unknown>,
    { invitation, userId, visit }: { invitation: string; userId: UserId; visit: Visit },
  ): Promise<void> {
    const { memberships, journal } = this.#parts;
    const { organizationId, id } = await memberships.acceptInvitation(transaction, invitation, userId);
    const told = { action: "invitation.accepted", organizationId, of: userId, targetId: id } as const;
    await journal.tellOne(visit, told, transaction);
  }
}

/** Nobody gets an account unless the organization that the provider speaks for, or one that invites, wants it. */
function invitingOf({ email }: Vouched, invited: OpenInvitation | undefined): OrganizationId {
  if (invited?.email === email) return invited.organizationId;
  throw new AppError("auth.not_invited", "There is no account of this address.");
}

const twiceAtOnce = (): AppError =>
  new AppError("auth.single_sign_on_failed", "This person is signing in twice at once: try again.");

/** A provider vouches for addresses of its own domains, and only when it says that it has verified them. */
function requireVouched(provider: ProviderRow, claims: Claims): Vouched {
  const { email, isEmailVerified } = claims;
  if (email === undefined || !isEmailVerified)
    throw new AppError("auth.not_invited", "The provider has not verified an e-mail address of this person.");
  const domain = email.slice(email.lastIndexOf("@") + 1);
  if (!provider.allowed_domains.includes(domain))
    throw new AppError("auth.not_invited", `"${provider.name}" may not sign in people of ${domain}.`);
  return { ...claims, email };
}
