/** @file Rules of service accounts: programs with a role, whose keys end with them. */
import { AppError, type CreateServiceAccount, type ListQuery, type UpdateServiceAccount } from "@gristmill/contract";
import type { Caller } from "../../http/index.ts";
import type { NewId } from "../../ids.ts";
import { heldIn, requireRole } from "../grants.ts";
import type { Forgets } from "../keys/key-cache.ts";
import type { ProjectService } from "../projects/service.ts";
import type { ServiceAccountRow } from "../tables.ts";
import type { ServiceAccountChange, ServiceAccountStore } from "./store.ts";

/** What the service needs. */
export interface ServiceAccountParts {
  readonly store: ServiceAccountStore;
  readonly projects: ProjectService;
  readonly cache: Forgets;
  readonly now: () => Date;
  readonly newId: NewId;
}

/** Service accounts of the organization that is acted in. */
export class ServiceAccountService {
  readonly #parts: ServiceAccountParts;

  constructor(parts: ServiceAccountParts) {
    this.#parts = parts;
  }

  /** @throws AppError `service_account.name_taken`, `project.not_found`; `auth.forbidden` for a role beyond the caller's. */
  async create(caller: Caller, { name, role, project }: CreateServiceAccount): Promise<ServiceAccountRow> {
    const { store, projects, newId } = this.#parts;
    const projectId = project === undefined ? null : (await projects.get(caller, project)).id;
    requireRole(caller, role, heldIn(projectId));
    const { organizationId } = caller;
    const account = { id: newId("serviceAccount"), organization_id: organizationId, project_id: projectId, name, role };
    const row = await store.insertIfAbsent(account);
    if (row !== undefined) return row;
    throw nameTaken(name);
  }

  /** @throws AppError `service_account.not_found`. */
  async get(caller: Caller, nameOrId: string): Promise<ServiceAccountRow> {
    const row = await this.#parts.store.find(caller.organizationId, nameOrId);
    if (row !== undefined) return row;
    throw notFound(nameOrId);
  }

  async list(caller: Caller, query: ListQuery): Promise<ServiceAccountRow[]> {
    return await this.#parts.store.list(caller.organizationId, query);
  }

  /** What it takes away is taken from the account's keys when this resolves. @throws AppError as `create` and `get`. */
  async update(caller: Caller, nameOrId: string, input: UpdateServiceAccount): Promise<ServiceAccountRow> {
    const decide = (row: ServiceAccountRow): ServiceAccountChange => {
      if (input.role !== undefined) requireRole(caller, input.role, heldIn(row.project_id));
      return {
        ...(input.name === undefined ? {} : { name: input.name }),
        ...(input.role === undefined ? {} : { role: input.role }),
        ...(input.disabled === undefined ? {} : { disabled_at: this.#disabledAt(row, input.disabled) }),
      };
    };
    return await this.#change(caller, nameOrId, decide, input.name);
  }

  /** Its keys are refused when this resolves. @throws AppError as `get`. */
  async delete(caller: Caller, nameOrId: string): Promise<ServiceAccountRow> {
    return await this.#change(caller, nameOrId, () => ({ deleted_at: this.#parts.now() }));
  }

  #disabledAt(row: ServiceAccountRow, disabled: boolean): Date | null {
    return disabled ? (row.disabled_at ?? this.#parts.now()) : null;
  }

  async #change(
    caller: Caller,
    nameOrId: string,
    decide: (row: ServiceAccountRow) => ServiceAccountChange,
    newName?: string,
  ): Promise<ServiceAccountRow> {
    const { store, cache } = this.#parts;
    const { id } = await this.get(caller, nameOrId);
    const row = await store.change(caller.organizationId, id, (current) => {
      requireRole(caller, current.role, heldIn(current.project_id));
      return decide(current);
    });
    if (row === undefined) throw notFound(nameOrId);
    if (row === "taken") throw nameTaken(newName ?? nameOrId);
    cache.changed();
    return row;
  }
}

const notFound = (nameOrId: string): AppError =>
  new AppError("service_account.not_found", `There is no service account "${nameOrId}".`);

const nameTaken = (name: string): AppError =>
  new AppError("service_account.name_taken", `The organization has a service account of that name: "${name}".`);
