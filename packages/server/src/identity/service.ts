/** @file Rules of projects and keys. */
import { AppError, type CreateKey, defaultScopes, type ListQuery, type Scope } from "@gristmill/contract";
import type { Caller } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import type { KeyCache } from "./key-cache.ts";
import { hashOf, makeKey, prefixOf, type RandomBytes } from "./secret.ts";
import type { IdentityStore, KeyRow, ProjectRow } from "./store.ts";

/** What the service needs. */
export interface IdentityParts {
  readonly store: IdentityStore;
  readonly cache: KeyCache;
  readonly now: () => Date;
  readonly newId: NewId;
  readonly random: RandomBytes;
}

/** Projects and keys. */
export class IdentityService {
  readonly #parts: IdentityParts;

  constructor(parts: IdentityParts) {
    this.#parts = parts;
  }

  /** @throws AppError `project.name_taken`. */
  async createProject(name: string): Promise<ProjectRow> {
    const { store, newId } = this.#parts;
    const project = await store.insertProjectIfAbsent({ id: newId("project"), name });
    if (project !== undefined) return project;
    throw new AppError("project.name_taken", `There is already a project named "${name}".`);
  }

  /** @throws AppError `project.not_found`. */
  async getProject(nameOrId: string): Promise<ProjectRow> {
    const project = await this.#parts.store.findProject(nameOrId);
    if (project !== undefined) return project;
    throw new AppError("project.not_found", `There is no project "${nameOrId}".`);
  }

  async listProjects(query: ListQuery): Promise<ProjectRow[]> {
    return await this.#parts.store.listProjects(query);
  }

  /**
   * Makes a key of the caller's project. Without scopes it gets the default ones that the caller holds.
   * @throws AppError `auth.forbidden` naming the scopes that the caller lacks.
   */
  async createKey(caller: Caller, input: CreateKey): Promise<{ row: KeyRow; key: string }> {
    const { store, newId, now, random } = this.#parts;
    const expiresAt = input.expires_at === undefined ? null : new Date(input.expires_at);
    if (expiresAt !== null && expiresAt <= now())
      throw new AppError("request.invalid", "body.expires_at: expected a time that is still to come.");
    const scopes = grantable(caller, input.scopes);
    for (;;) {
      const key = makeKey(random);
      const row = await store.insertKeyIfAbsent({
        id: newId("key"),
        project_id: caller.projectId,
        name: input.name,
        prefix: prefixOf(key) ?? "",
        secret_sha256: hashOf(key),
        scopes: [...scopes],
        expires_at: expiresAt,
      });
      // One prefix in 10^14 is taken; then another is drawn.
      if (row !== undefined) return { row, key };
    }
  }

  /** @throws AppError `key.not_found`. */
  async getKey(caller: Caller, id: string): Promise<KeyRow> {
    const row = await this.#parts.store.findKey(caller.projectId, id);
    if (row !== undefined) return row;
    throw new AppError("key.not_found", `There is no key "${id}".`);
  }

  async listKeys(caller: Caller, query: ListQuery): Promise<KeyRow[]> {
    return await this.#parts.store.listKeys(caller.projectId, query);
  }

  /** Refused everywhere when this resolves. Revoking twice changes nothing. @throws AppError `key.not_found`. */
  async revokeKey(caller: Caller, id: string): Promise<void> {
    const { store, cache, now } = this.#parts;
    const row = await this.getKey(caller, id);
    await store.revokeKey(caller.projectId, id, now());
    cache.revoked(row.prefix);
  }
}

function grantable(caller: Caller, wanted: readonly Scope[] | undefined): ReadonlySet<Scope> {
  const holds = (scope: Scope): boolean => caller.kind === "admin" || caller.scopes.has(scope);
  if (wanted === undefined) {
    const scopes = new Set(defaultScopes.filter(holds));
    if (scopes.size > 0) return scopes;
    throw new AppError("request.invalid", "body.scopes: name the scopes; this key holds none of the usual ones.");
  }
  const lacking = wanted.filter((scope) => !holds(scope));
  if (lacking.length === 0) return new Set(wanted);
  throw new AppError("auth.forbidden", `A key can't give what it does not hold: ${lacking.join(", ")}.`, {
    details: { scopes: lacking },
  });
}
