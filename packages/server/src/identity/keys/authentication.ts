/** @file Who presents this key, and in which project it acts. */
import { AppError, isId, type OrganizationId, type Scope, scopes } from "@gristmill/contract";
import type { Authenticator, Caller, Credentials } from "../../http/index.ts";
import { type Defaults, defaultName, type OrganizationStore } from "../organizations/store.ts";
import type { ProjectStore } from "../projects/store.ts";
import { hashOf, isSameHash, prefixOf } from "../secret.ts";
import type { KeyRow, ProjectRow } from "../tables.ts";
import type { KeyCache } from "./key-cache.ts";
import type { LastUsed } from "./last-used.ts";
import { standingScopes } from "./standing.ts";
import type { KeyInContext, KeyStore } from "./store.ts";

/** A key that was right, and what its requests need to know. */
export interface RightKey {
  readonly caller: Caller;
  readonly row: Pick<KeyRow, "id" | "project_id" | "last_used_at">;
  readonly projectName: string;
  readonly organizationName: string;
  /** Milliseconds; Infinity: for ever. */
  readonly validUntil: number;
  readonly isArchived: boolean;
}

/** What authentication needs. */
export interface AuthenticationParts {
  readonly keys: Pick<KeyStore, "findByPrefix">;
  readonly projects: ProjectStore;
  readonly organizations: OrganizationStore;
  readonly cache: KeyCache<RightKey>;
  readonly lastUsed: LastUsed;
  readonly now: () => Date;
  readonly adminKey: string;
  readonly defaults: () => Defaults;
}

/** Compared with when there is nothing to compare with, so that a guess costs the same whether its prefix exists or not. */
const decoy = Buffer.alloc(32);

/** Knows the admin key and the projects' keys. */
export class KeyAuthenticator implements Authenticator {
  readonly #parts: AuthenticationParts;
  readonly #adminHash: Buffer;
  readonly #adminScopes: ReadonlySet<Scope> = new Set(scopes);

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    this.#adminHash = hashOf(parts.adminKey);
  }

  async authenticate({ key, project, organization }: Credentials): Promise<Caller> {
    if (key === undefined) throw new AppError("auth.missing", "This needs a key.");
    const { cache, lastUsed, now } = this.#parts;
    const hash = hashOf(key);
    if (isSameHash(hash, this.#adminHash)) return await this.#admin(organization, project);
    const right = await cache.find(hash, () => this.#look(key, hash));
    const { caller, row } = right;
    if (right.validUntil <= now().getTime()) throw invalid();
    if (right.isArchived) throw new AppError("project.archived", "The project of this key is in the archive.");
    // The same words for what does not exist and for what is somebody else's.
    if (organization !== undefined && organization !== caller.organizationId && organization !== right.organizationName)
      throw noOrganization(organization);
    if (project !== undefined && project !== caller.projectId && project !== right.projectName)
      throw noProject(project);
    lastUsed.note(row);
    return caller;
  }

  async #look(key: string, hash: Buffer): Promise<RightKey> {
    const prefix = prefixOf(key);
    // A text that is no key at all says nothing about which keys exist.
    const row = prefix === undefined ? undefined : await this.#parts.keys.findByPrefix(prefix);
    const isPrevious = row !== undefined && row.prefix !== prefix;
    const isRight = isSameHash(hash, (isPrevious ? row?.previous_sha256 : row?.secret_sha256) ?? decoy);
    // One answer for all: which of them it is would tell a guesser what exists.
    if (row === undefined || !isRight || row.revoked_at !== null) throw invalid();
    const scopes = standingScopes(row);
    if (scopes === undefined) throw invalid();
    return rightKey(row, scopes, isPrevious);
  }

  async #admin(organization: string | undefined, project: string | undefined): Promise<Caller> {
    const found = await this.#adminProject(organization, project);
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

  async #adminProject(
    organization: string | undefined,
    project: string | undefined,
  ): Promise<Pick<ProjectRow, "id" | "organization_id">> {
    const { organizations, projects, defaults } = this.#parts;
    const { organizationId, projectId } = defaults();
    if (organization === undefined && project === undefined) return { id: projectId, organization_id: organizationId };
    let within: OrganizationId = organizationId;
    if (organization !== undefined) {
      const row = await organizations.find(organization);
      if (row === undefined) throw noOrganization(organization);
      within = row.id;
    }
    const anywhere = organization === undefined && project !== undefined && isId("project", project);
    const found =
      (anywhere ? await projects.findById(project) : undefined) ??
      (await projects.find(within, project ?? defaultName, "all"));
    if (found === undefined) throw noProject(project);
    return found;
  }
}

function rightKey(row: KeyInContext, scopes: ReadonlySet<Scope>, isPrevious: boolean): RightKey {
  const grace = isPrevious ? (row.grace_ends_at?.getTime() ?? 0) : Number.POSITIVE_INFINITY;
  return {
    caller: {
      kind: "key",
      organizationId: row.organization_id,
      projectId: row.project_id,
      keyId: row.id,
      userId: null,
      scopes,
      models: row.models === null ? null : new Set(row.models),
    },
    row,
    projectName: row.project_name,
    organizationName: row.organization_name,
    validUntil: Math.min(grace, row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY),
    isArchived: row.archived_at !== null,
  };
}

const invalid = (): AppError => new AppError("auth.invalid", "This key is not valid.");

const noProject = (project: string | undefined): AppError =>
  new AppError("project.not_found", `There is no project ${JSON.stringify(project)}.`);

const noOrganization = (organization: string): AppError =>
  new AppError("project.not_found", `There is no organization ${JSON.stringify(organization)}.`);
