/** @file Identity providers: the operator's list of who may vouch for whom. */
import { AppError, type CreateIdentityProvider } from "@gristmill/contract";
import type { Caller } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import type { SecretBox } from "../secrets/index.ts";
import type { OpenId, OpenIdClient } from "./open-id.ts";
import type { ProviderRow, ProviderStore } from "./provider-store.ts";

/** More would make the list on the sign-in page, and what is remembered of each, too long. */
const providersMost = 100;

/** What providers need. */
export interface ProviderParts {
  readonly store: ProviderStore;
  readonly secrets: SecretBox;
  readonly openId: OpenId;
  readonly newId: NewId;
}

/** Keeps providers. */
export class Providers {
  readonly #parts: ProviderParts;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  /**
   * Adds one that answers, for the caller's organization.
   * @throws AppError `identity_provider.unavailable`, `identity_provider.name_taken`, `url.forbidden`, `request.invalid`.
   */
  async create(caller: Caller, input: CreateIdentityProvider): Promise<ProviderRow> {
    const { store, secrets, openId, newId } = this.#parts;
    if ((await store.count()) >= providersMost)
      throw new AppError("request.invalid", `There are ${providersMost} providers: delete one first.`);
    const id = newId("identityProvider");
    const { name, issuer, client_id, client_secret, allowed_domains, default_role } = input;
    await openId.check({ id, issuer, clientId: client_id, clientSecret: client_secret });
    const row = await store.insertIfAbsent({
      id,
      organization_id: caller.organizationId,
      name,
      issuer,
      client_id,
      client_secret: secrets.seal(Buffer.from(client_secret), contextOf(id)),
      allowed_domains: [...new Set(allowed_domains)],
      default_role,
    });
    if (row !== undefined) return row;
    openId.forget(id);
    throw new AppError("identity_provider.name_taken", `There is already a provider named "${name}".`);
  }

  /** @throws AppError `identity_provider.not_found`. */
  async get(id: string): Promise<ProviderRow> {
    const row = await this.#parts.store.find(id);
    if (row !== undefined) return row;
    throw new AppError("identity_provider.not_found", `There is no identity provider "${id}".`);
  }

  async list(): Promise<ProviderRow[]> {
    return await this.#parts.store.list();
  }

  /** @throws AppError `identity_provider.not_found`. */
  async delete(id: string): Promise<void> {
    await this.get(id);
    await this.#parts.store.delete(id);
    this.#parts.openId.forget(id);
  }

  /** With its secret, to call it. @throws AppError `secret.unreadable`. */
  clientOf({ id, issuer, client_id: clientId, client_secret: sealed }: ProviderRow): OpenIdClient {
    return { id, issuer, clientId, clientSecret: this.#parts.secrets.open(sealed, contextOf(id)).toString() };
  }
}

const contextOf = (id: string): string => `the client secret of identity provider ${id}`;
