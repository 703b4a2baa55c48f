/** @file Whose project it is: that never changes, so it is asked once. */
import type { OrganizationId, ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../db/index.ts";

/** More than one server works for at a time; then it begins to remember anew. */
const maxKnown = 50_000;

/** The organizations of projects. */
export class Organizations {
  readonly #db: Database;
  readonly #known = new Map<ProjectId, OrganizationId>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** What somebody else has looked up already. */
  note(projectId: ProjectId, organizationId: OrganizationId): void {
    if (this.#known.has(projectId)) return;
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(projectId, organizationId);
  }

  /** Looks up those that are not known yet. */
  async learn(projectIds: Iterable<ProjectId>): Promise<void> {
    const unknown = [...new Set(projectIds)].filter((projectId) => !this.#known.has(projectId));
    if (unknown.length === 0) return;
    const { rows } = await sql<{ id: ProjectId; organization_id: OrganizationId }>`
      select id, organization_id from project where id = any (${unknown}::text[])`.execute(this.#db);
    for (const row of rows) this.note(row.id, row.organization_id);
  }

  /** undefined: there is no such project, or it was not learnt. */
  find(projectId: ProjectId): OrganizationId | undefined {
    return this.#known.get(projectId);
  }
}
