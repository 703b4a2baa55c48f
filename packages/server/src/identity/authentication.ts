/** @file Who presents this key, and in which project it acts. */
import { AppError, type ProjectId, type Scope, scopes } from "@gristmill/contract";
import type { Authenticator, Caller, Credentials } from "../http/index.ts";
import type { KeyCache } from "./key-cache.ts";
import type { LastUsed } from "./last-used.ts";
import { hashOf, isSameHash, prefixOf } from "./secret.ts";
import type { IdentityStore, KeyWithProject } from "./store.ts";

/** What authentication needs. */
export interface AuthenticationParts {
  readonly store: IdentityStore;
  readonly cache: KeyCache;
  readonly lastUsed: LastUsed;
  readonly now: () => Date;
  readonly adminKey: string;
  readonly defaultProjectId: () => ProjectId;
}

/** Knows the admin key and the projects' keys. */
export class KeyAuthenticator implements Authenticator {
  readonly #parts: AuthenticationParts;
  readonly #adminHash: Buffer;
  readonly #adminScopes: ReadonlySet<Scope> = new Set(scopes);

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#adminHash = hashOf(parts.adminKey);
  }

  async authenticate({ key, project }: Credentials): Promise<Caller> {
    if (key === undefined) throw new AppError("auth.missing", "This needs a key.");
    const hash = hashOf(key);
    if (isSameHash(hash, this.#adminHash)) return await this.#admin(project);
    const row = await this.#findKey(key, hash);
    // The same words for a project that does not exist and for one of somebody else.
    if (project !== undefined && project !== row.project_id && project !== row.project_name) throw noProject(project);
    this.#parts.lastUsed.note(row);
    const { project_id: projectId, organization_id: organizationId, id: keyId } = row;
    return { kind: "key", organizationId, projectId, keyId, userId: null, scopes: new Set(row.scopes), models: null };
  }

  async #admin(project: string | undefined): Promise<Caller> {
    const { store, defaultProjectId } = this.#parts;
    const found = await store.findProject(project ?? defaultProjectId());
    if (found === undefined) throw noProject(project);
    return {
      kind: "admin",
      organizationId: found.organization_id,
      projectId: found.id,
      keyId: null,
      userId: null,
      scopes: this.#adminScopes,
      models: null,
    };
  }

  async #findKey(key: string, hash: Buffer): Promise<KeyWithProject> {
    const { store, cache, now } = this.#parts;
    const prefix = prefixOf(key);
    const row = prefix === undefined ? undefined : await cache.find(prefix, (text) => store.findKeyByPrefix(text));
    // One answer for all: which of them it is would tell a guesser what exists.
    if (row === undefined || !isSameHash(hash, row.secret_sha256)) throw invalid();
    if (row.revoked_at !== null) throw invalid();
    if (row.expires_at !== null && row.expires_at <= now()) throw invalid();
    return row;
  }
}

const invalid = (): AppError => new AppError("auth.invalid", "This key is not valid.");

const noProject = (project: string | undefined): AppError =>
  new AppError("project.not_found", `There is no project ${JSON.stringify(project)}.`);
