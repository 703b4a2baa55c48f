/** @file Rules of upstreams: see README.md. */
import {
  AppError,
  type CreateUpstream,
  type ListQuery,
  type ProjectId,
  type UpdateUpstream,
} from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Ground } from "../feature.ts";
import type { CheckedFetch } from "../net/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { openSecrets, sealSecrets, type UpstreamSecrets } from "./sealed.ts";
import { type UpstreamRow, UpstreamStore } from "./store.ts";

/** What the service is made from. */
export interface UpstreamServiceParts {
  readonly ground: Ground;
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly fetch: Pick<CheckedFetch, "check">;
  /** Called after a change, which those that call the upstream have to hear of. */
  readonly onChanged: (row: UpstreamRow) => void;
}

/** An upstream with its secrets, for those who call it. */
export interface OpenedUpstream {
  readonly row: UpstreamRow;
  readonly secrets: UpstreamSecrets;
}

const maxUpstreams = 100;

/** Upstreams of projects. */
export class UpstreamService {
  readonly #parts: UpstreamServiceParts;
  readonly #store: UpstreamStore;
  #usersOf: (projectId: ProjectId, upstreamId: string) => Promise<readonly string[]> = async () => [];

  constructor(parts: UpstreamServiceParts) {
    this.#parts = parts;
    this.#store = new UpstreamStore(parts.db);
  }

  /** Whose users, if there are any, keep an upstream from being deleted. */
  protect(usersOf: (projectId: ProjectId, upstreamId: string) => Promise<readonly string[]>): void {
    this.#usersOf = usersOf;
  }

  /** @throws AppError `url.forbidden`, `upstream.name_taken`, `upstream.too_many`. */
  async create(projectId: ProjectId, input: CreateUpstream): Promise<OpenedUpstream> {
    const { ground, secrets: box, fetch } = this.#parts;
    await fetch.check(input.base_url);
    const { credentials, headers, ...plain } = input;
    const id = ground.newId("upstream");
    const secrets = { credentials, headers };
    const sealed = sealSecrets(box, id, secrets);
    const row = await this.#store.insert({ id, project_id: projectId, ...plain, sealed }, maxUpstreams);
    if (row === "full") throw new AppError("upstream.too_many", `A project has ${maxUpstreams} upstreams at most.`);
    if (row === "taken")
      throw new AppError("upstream.name_taken", `This project already has an upstream "${input.name}".`);
    return { row, secrets };
  }

  /** By name or id. @throws AppError `upstream.not_found`, `secret.unreadable`. */
  async get(projectId: ProjectId, nameOrId: string): Promise<OpenedUpstream> {
    return this.#open(found(await this.#store.find(projectId, nameOrId), nameOrId));
  }

  async list(projectId: ProjectId, query: ListQuery): Promise<OpenedUpstream[]> {
    return (await this.#store.list(projectId, query)).map((row) => this.#open(row));
  }

  /**
   * What was sent to one host is not sent to another because somebody changed the URL: keys have to be given again.
   * @throws AppError `upstream.not_found`, `url.forbidden`, `request.invalid`, `secret.unreadable`.
   */
  async update(projectId: ProjectId, nameOrId: string, input: UpdateUpstream): Promise<OpenedUpstream> {
    const { db, secrets: box, fetch, onChanged } = this.#parts;
    const { credentials, headers, base_url, ...plain } = input;
    if (base_url !== undefined) await fetch.check(base_url);
    const updated = await db.transaction().execute(async (transaction) => {
      const store = new UpstreamStore(transaction);
      const { row, secrets: before } = this.#open(found(await store.find(projectId, nameOrId, true), nameOrId));
      const secrets = { credentials: credentials ?? null, headers: headers ?? {} };
      if (credentials === undefined) secrets.credentials = before.credentials;
      if (headers === undefined) secrets.headers = { ...before.headers };
      if (base_url !== undefined && new URL(base_url).origin !== new URL(row.base_url).origin)
        assertGivenAgain(before, input);
      const change = {
        ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
        ...(base_url === undefined ? {} : { base_url }),
        sealed: sealSecrets(box, row.id, secrets),
      };
      return { row: await store.update(projectId, row.id, change), secrets };
    });
    onChanged(updated.row);
    return updated;
  }

  /** @throws AppError `upstream.not_found`, `upstream.in_use`. */
  async delete(projectId: ProjectId, nameOrId: string): Promise<UpstreamRow> {
    return await this.#parts.db.transaction().execute(async (transaction) => {
      const store = new UpstreamStore(transaction);
      // Locked: who is about to use it waits, and does not find it.
      const row = found(await store.find(projectId, nameOrId, true), nameOrId);
      const users = await this.#usersOf(projectId, row.id);
      if (users.length > 0) throw new AppError("upstream.in_use", `"${row.name}" is used by ${users.join(", ")}.`);
      await store.delete(projectId, row.id);
      return row;
    });
  }

  #open(row: UpstreamRow): OpenedUpstream {
    return { row, secrets: openSecrets(this.#parts.secrets, row) };
  }
}

function assertGivenAgain(before: UpstreamSecrets, input: UpdateUpstream): void {
  const isMissing = {
    credentials: before.credentials !== null && input.credentials === undefined,
    headers: Object.keys(before.headers).length > 0 && input.headers === undefined,
  };
  for (const param of ["credentials", "headers"] as const)
    if (isMissing[param])
      throw new AppError("request.invalid", `${param}: give them again (or none) when the host changes.`, {
        details: { param },
      });
}

function found(row: UpstreamRow | undefined, nameOrId: string): UpstreamRow {
  if (row === undefined) throw new AppError("upstream.not_found", `There is no upstream "${nameOrId}".`);
  return row;
}
