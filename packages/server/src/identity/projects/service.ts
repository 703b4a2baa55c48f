/** @file Rules of projects. */
import { AppError, type CreateProject, type ListQuery, type UpdateProject } from "@gristmill/contract";
import type { Caller } from "../../http/index.ts";
import type { NewId } from "../../ids.ts";
import type { Forgets } from "../keys/key-cache.ts";
import { defaultName } from "../organizations/store.ts";
import type { ProjectRow } from "../tables.ts";
import type { ProjectStore, Visible } from "./store.ts";

/** What the service needs. */
export interface ProjectParts {
  readonly store: ProjectStore;
  readonly cache: Forgets;
  readonly now: () => Date;
  readonly newId: NewId;
}

/** Projects of the organization that is acted in. */
export class ProjectService {
  readonly #parts: ProjectParts;

  constructor(parts: ProjectParts) {
    this.#parts = parts;
  }

  /** @throws AppError `project.name_taken`. */
  async create(caller: Caller, { name, description = "" }: CreateProject): Promise<ProjectRow> {
    const { store, newId } = this.#parts;
    const { organizationId } = caller;
    const project = { id: newId("project"), organization_id: organizationId, name, description };
    const row = await store.insertIfAbsent(project);
    if (row !== undefined) return row;
    throw nameTaken(name);
  }

  /** @throws AppError `project.not_found`. */
  async get(caller: Caller, nameOrId: string): Promise<ProjectRow> {
    const row = await this.#parts.store.find(caller.organizationId, nameOrId, visibleTo(caller));
    if (row !== undefined) return row;
    throw new AppError("project.not_found", `There is no project "${nameOrId}".`);
  }

  async list(caller: Caller, query: ListQuery): Promise<ProjectRow[]> {
    return await this.#parts.store.list(caller.organizationId, visibleTo(caller), query);
  }

  /** @throws AppError `project.not_found`, `project.name_taken`, `project.is_default`. */
  async update(caller: Caller, nameOrId: string, input: UpdateProject): Promise<ProjectRow> {
    const row = await this.get(caller, nameOrId);
    if (input.name !== undefined && input.name !== row.name) refuseDefault(row);
    const change = {
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(input.description === undefined ? {} : { description: input.description }),
      ...(input.archived === undefined ? {} : { archived_at: null }),
    };
    return Object.keys(change).length === 0 ? row : await this.#update(row, change);
  }

  /** Its keys are refused when this resolves. Archiving twice changes nothing. @throws AppError as `update`. */
  async archive(caller: Caller, nameOrId: string): Promise<ProjectRow> {
    const row = await this.get(caller, nameOrId);
    refuseDefault(row);
    return row.archived_at === null ? await this.#update(row, { archived_at: this.#parts.now() }) : row;
  }

  async #update(row: ProjectRow, change: Parameters<ProjectStore["update"]>[1]): Promise<ProjectRow> {
    const { store, cache } = this.#parts;
    const updated = await store.update(row, change);
    if (updated === "taken") throw nameTaken(change.name ?? row.name);
    cache.changed();
    return updated ?? row;
  }
}

/** Who reads the organization sees all of its projects; others see those that they may act in. */
function visibleTo(caller: Caller): Visible {
  if (caller.scopes.has("organization:read")) return "all";
  return caller.userId === null ? { id: caller.projectId } : { memberId: caller.userId };
}

function refuseDefault(row: ProjectRow): void {
  if (row.name !== defaultName) return;
  throw new AppError("project.is_default", `The project "${defaultName}" keeps its name and stays open.`);
}

const nameTaken = (name: string): AppError =>
  new AppError("project.name_taken", `There is already a project named "${name}".`);
