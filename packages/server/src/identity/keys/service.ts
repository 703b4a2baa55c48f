/** @file Rules of keys: nobody makes, changes or rotates a key that can do more than they can. */
import {
  AppError,
  type CreateKey,
  defaultScopes,
  type ListQuery,
  type Scope,
  scopesOf,
  type UpdateKey,
} from "@gristmill/contract";
import type { Caller } from "../../http/index.ts";
import type { NewId } from "../../ids.ts";
import { requireModels, requireScopes } from "../grants.ts";
import { hashOf, makeKey, prefixOf, type RandomBytes } from "../secret.ts";
import type { ServiceAccountStore } from "../service-accounts/store.ts";
import type { KeyRow, ServiceAccountRow } from "../tables.ts";
import type { Forgets } from "./key-cache.ts";
import type { KeyStore } from "./store.ts";

/** What the service needs. */
export interface KeyParts {
  readonly store: KeyStore;
  readonly accounts: ServiceAccountStore;
  readonly cache: Forgets;
  readonly now: () => Date;
  readonly newId: NewId;
  readonly random: RandomBytes;
}

/** Whose a key is; an owner's role bounds what the key can do. */
type Owner = Pick<KeyRow, "user_id" | "service_account_id">;

/** Keys of the project that is acted in. */
export class KeyService {
  readonly #parts: KeyParts;

  constructor(parts: KeyParts) {
    this.#parts = parts;
  }

  /**
   * Without scopes it gets the default ones that the caller holds.
   * @throws AppError `auth.forbidden` naming what the caller lacks; `service_account.not_found`.
   */
  async create(caller: Caller, input: CreateKey): Promise<{ row: KeyRow; key: string }> {
    const { store, newId } = this.#parts;
    const maker = await this.#keyOf(caller);
    const account =
      input.service_account === undefined ? undefined : await this.#account(caller, input.service_account);
    const owner: Owner =
      account === undefined
        ? { user_id: maker?.user_id ?? caller.userId, service_account_id: maker?.service_account_id ?? null }
        : { user_id: null, service_account_id: account.id };
    const models = input.models ?? (caller.models === null ? null : [...caller.models]);
    requireModels(caller, models);
    const values = {
      project_id: caller.projectId,
      name: input.name,
      scopes: this.#scopes(caller, input.scopes, account),
      models,
      expires_at: this.#expiry(input.expires_at ?? null, maker, input.expires_at === undefined),
      ...owner,
    };
    for (;;) {
      const { key, prefix, hash } = this.#draw();
      const row = await store.insertIfAbsent({ ...values, id: newId("key"), prefix, secret_sha256: hash });
      // One prefix in 10^14 is taken; then another is drawn.
      if (row !== undefined) return { row, key };
    }
  }

  /** @throws AppError `key.not_found`. */
  async get(caller: Caller, id: string): Promise<KeyRow> {
    const row = await this.#parts.store.find(caller.projectId, id);
    if (row !== undefined) return row;
    throw notFound(id);
  }

  async list(caller: Caller, query: ListQuery): Promise<KeyRow[]> {
    return await this.#parts.store.list(caller.projectId, query);
  }

  /** @throws AppError `key.not_found`, `key.revoked`; `auth.forbidden` for a key that can do more than the caller. */
  async update(caller: Caller, id: string, input: UpdateKey): Promise<KeyRow> {
    const maker = await this.#keyOf(caller);
    return await this.#change(caller, id, (row) => {
      requireReach(caller, row);
      if (input.scopes !== undefined) requireScopes(caller, input.scopes, lackingScopes);
      if (input.models !== undefined) requireModels(caller, input.models);
      return {
        ...(input.name === undefined ? {} : { name: input.name }),
        ...(input.scopes === undefined ? {} : { scopes: [...new Set(input.scopes)] }),
        ...(input.models === undefined ? {} : { models: input.models }),
        ...(input.expires_at === undefined ? {} : { expires_at: this.#expiry(input.expires_at, maker, false) }),
      };
    });
  }

  /**
   * A new secret for the same key. The one of now goes on for so long; one from before it ends at once.
   * @throws AppError as `update`.
   */
  async rotate(caller: Caller, id: string, graceSeconds: number): Promise<{ row: KeyRow; key: string }> {
    const at = this.#parts.now();
    const graceEnd = new Date(at.getTime() + graceSeconds * 1000);
    for (;;) {
      const { key, prefix, hash } = this.#draw();
      try {
        const row = await this.#change(caller, id, (old) => {
          requireReach(caller, old);
          return {
            prefix,
            secret_sha256: hash,
            rotated_at: at,
            previous_prefix: graceSeconds === 0 ? null : old.prefix,
            previous_sha256: graceSeconds === 0 ? null : old.secret_sha256,
            grace_ends_at: graceSeconds === 0 ? null : graceEnd,
          };
        });
        return { row, key };
      } catch (error) {
        // unique_violation: the prefix is taken, and another is drawn.
        if ((error as { code?: unknown }).code !== "23505") throw error;
      }
    }
  }

  /** Refused everywhere when this resolves. Revoking twice changes nothing. @throws AppError `key.not_found`. */
  async revoke(caller: Caller, id: string): Promise<void> {
    const { store, cache, now } = this.#parts;
    const change = (row: KeyRow) => (row.revoked_at === null ? { revoked_at: now() } : {});
    if ((await store.change(caller.projectId, id, change)) === undefined) throw notFound(id);
    cache.changed();
  }

  async #change(caller: Caller, id: string, decide: Parameters<KeyStore["change"]>[2]): Promise<KeyRow> {
    const { store, cache } = this.#parts;
    const row = await store.change(caller.projectId, id, (old) => {
      if (old.revoked_at === null) return decide(old);
      throw new AppError("key.revoked", `The key "${old.name}" was revoked.`);
    });
    if (row === undefined) throw notFound(id);
    cache.changed();
    return row;
  }

  #draw(): { key: string; prefix: string; hash: Buffer } {
    const key = makeKey(this.#parts.random);
    return { key, prefix: prefixOf(key) ?? "", hash: hashOf(key) };
  }

  /** The key that calls; undefined: a user or the admin key does. */
  async #keyOf(caller: Caller): Promise<KeyRow | undefined> {
    return caller.keyId === null ? undefined : await this.#parts.store.find(caller.projectId, caller.keyId);
  }

  async #account(caller: Caller, nameOrId: string): Promise<ServiceAccountRow> {
    const account = await this.#parts.accounts.find(caller.organizationId, nameOrId);
    const isHere = account?.project_id === null || account?.project_id === caller.projectId;
    if (account !== undefined && isHere) return account;
    throw new AppError("service_account.not_found", `There is no service account "${nameOrId}" for this project.`);
  }

  #scopes(caller: Caller, wanted: readonly Scope[] | undefined, account: ServiceAccountRow | undefined): Scope[] {
    const role = account && new Set(scopesOf(account.role, account.project_id === null ? "organization" : "project"));
    if (wanted === undefined) {
      const usual = defaultScopes.filter((scope) => caller.scopes.has(scope) && role?.has(scope) !== false);
      if (usual.length > 0) return usual;
      throw new AppError("request.invalid", "body.scopes: name the scopes; none of the usual ones can be given here.");
    }
    requireScopes(caller, wanted, lackingScopes);
    const beyond = wanted.filter((scope) => role?.has(scope) === false);
    if (beyond.length === 0) return [...new Set(wanted)];
    throw new AppError("auth.forbidden", `The service account's role does not hold: ${beyond.join(", ")}.`, {
      details: { scopes: beyond },
    });
  }

  /** A key that makes or changes keys ends no later than they do. */
  #expiry(wanted: string | null, maker: KeyRow | undefined, isDefault: boolean): Date | null {
    const bound = maker?.expires_at ?? null;
    const expiry = wanted === null ? null : new Date(wanted);
    if (expiry !== null && expiry <= this.#parts.now())
      throw new AppError("request.invalid", "body.expires_at: expected a time that is still to come.");
    if (bound === null) return expiry;
    if (isDefault) return bound;
    if (expiry !== null && expiry <= bound) return expiry;
    throw new AppError("auth.forbidden", `A key can't make one outlive it: it ends at ${bound.toISOString()}.`);
  }
}

const lackingScopes = "A key can't be given what its giver does not hold";

/** Who changes a key could use it, or make it do what they want: they must hold all that it can do. */
function requireReach(caller: Caller, row: KeyRow): void {
  requireScopes(caller, row.scopes, "This key can do more than you can");
  requireModels(caller, row.models);
}

const notFound = (id: string): AppError => new AppError("key.not_found", `There is no key "${id}".`);
