/** @file Rules of organizations: the operator makes them, members see their own, owners name them. */
import { AppError, type CreateOrganization, type ListQuery, type UpdateOrganization } from "@gristmill/contract";
import type { Caller } from "../../http/index.ts";
import type { NewId } from "../../ids.ts";
import type { OrganizationRow } from "../tables.ts";
import type { OrganizationStore } from "./store.ts";

/** Organizations. */
export class OrganizationService {
  readonly #parts: { readonly store: OrganizationStore; readonly newId: NewId };

  constructor(parts: { readonly store: OrganizationStore; readonly newId: NewId }) {
    this.#parts = parts;
  }

  /** With its first project, `default`. @throws AppError `organization.name_taken`. */
  async create(input: CreateOrganization): Promise<OrganizationRow> {
    const { store, newId } = this.#parts;
    const ids = { organization: newId("organization"), project: newId("project") };
    const row = await store.insertIfAbsent({ ...ids, name: input.name, displayName: input.display_name ?? null });
    if (row !== undefined) return row;
    throw new AppError("organization.name_taken", `There is already an organization named "${input.name}".`);
  }

  /** @throws AppError `organization.not_found`, also for one that is none of the caller's. */
  async get(caller: Caller, nameOrId: string): Promise<OrganizationRow> {
    const { store } = this.#parts;
    const row = await store.find(nameOrId);
    if (row === undefined) throw notFound(nameOrId);
    if (row.id === caller.organizationId || caller.kind === "admin") return row;
    // A user may belong to more than the one that this request acts in.
    if (caller.userId !== null && (await store.isMember(caller.userId, row.id))) return row;
    throw notFound(nameOrId);
  }

  async list(caller: Caller, query: ListQuery): Promise<OrganizationRow[]> {
    const { store } = this.#parts;
    if (caller.kind === "admin") return await store.list("all", query);
    if (caller.userId !== null) return await store.list({ userId: caller.userId }, query);
    return await store.list({ id: caller.organizationId }, query);
  }

  /** Of the organization that is acted in. @throws AppError `organization.not_found`. */
  async update(caller: Caller, nameOrId: string, input: UpdateOrganization): Promise<OrganizationRow> {
    const row = await this.get(caller, nameOrId);
    // The caller's scopes hold where it acts: elsewhere the same person may be somebody else.
    if (caller.kind !== "admin" && row.id !== caller.organizationId) throw notFound(nameOrId);
    if (input.display_name === undefined) return row;
    return (await this.#parts.store.rename(row.id, input.display_name)) ?? row;
  }
}

const notFound = (nameOrId: string): AppError =>
  new AppError("organization.not_found", `There is no organization "${nameOrId}".`);
