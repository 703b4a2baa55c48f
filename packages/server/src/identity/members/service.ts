/** @file Rules of members: roles given, changed and ended. */
import { AppError, type ListQuery, type ProjectId, type Role, type UserId } from "@gristmill/contract";
import type { Caller } from "../../http/index.ts";
import { heldIn, isLess, requireRole } from "../grants.ts";
import { InvitationStore } from "../invitations/store.ts";
import type { Forgets } from "../keys/key-cache.ts";
import type { ProjectService } from "../projects/service.ts";
import { type MemberRow, MemberStore } from "./store.ts";

/** What the service needs. */
export interface MemberParts {
  readonly store: MemberStore;
  readonly projects: ProjectService;
  readonly cache: Forgets;
}

/** Members of the organization that is acted in. */
export class MemberService {
  readonly #parts: MemberParts;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  /** @throws AppError `project.not_found`. */
  async list(
    caller: Caller,
    { project, ...page }: ListQuery & { project?: string | undefined },
  ): Promise<readonly MemberRow[]> {
    const projectId = await this.#projectId(caller, project);
    return await this.#parts.store.list(caller.organizationId, { ...page, projectId });
  }

  /**
   * Gives a member a role, in the organization or in one project.
   * @throws AppError `member.not_found`, `project.not_found`, `member.last_owner`; `auth.forbidden` when the role or the one
   *   before holds scopes that the caller does not.
   */
  async update(caller: Caller, userId: string, role: Role, project: string | undefined): Promise<MemberRow> {
    const { store, cache } = this.#parts;
    const { organizationId } = caller;
    const projectId = await this.#projectId(caller, project);
    const held = heldIn(projectId);
    const changed = await store.alone(organizationId, async (transaction) => {
      const members = new MemberStore(transaction);
      const member = await find(members, caller, userId);
      requireRole(caller, role, held);
      const former = roleIn(member, projectId);
      if (former !== null) requireRole(caller, former, held);
      if (former === "owner" && role !== "owner" && projectId === null) await keepAnOwner(members, caller);
      await members.set({ organization_id: organizationId, project_id: projectId, user_id: member.id, role });
      // Whoever lost a right may have handed it on by invitations.
      if (former !== null && isLess(former, role, held)) await withdraw(transaction, caller, member.id);
      return await find(members, caller, userId);
    });
    cache.changed();
    return changed;
  }

  /** From the organization with all its projects, or from one project. @throws AppError as `update`. */
  async remove(caller: Caller, userId: string, project: string | undefined): Promise<void> {
    const { store, cache } = this.#parts;
    const projectId = await this.#projectId(caller, project);
    await store.alone(caller.organizationId, async (transaction) => {
      const members = new MemberStore(transaction);
      const member = await find(members, caller, userId);
      const ending = member.projects.filter((one) => projectId === null || one.project_id === projectId);
      if (projectId !== null && ending.length === 0) throw notFound(userId);
      for (const { role } of ending) requireRole(caller, role, "project");
      if (projectId === null && member.role !== null) {
        requireRole(caller, member.role, "organization");
        if (member.role === "owner") await keepAnOwner(members, caller);
      }
      await members.remove(caller.organizationId, member.id, projectId);
      await withdraw(transaction, caller, member.id);
    });
    cache.changed();
  }

  async #projectId(caller: Caller, nameOrId: string | undefined): Promise<ProjectId | null> {
    return nameOrId === undefined ? null : (await this.#parts.projects.get(caller, nameOrId)).id;
  }
}

async function find(members: MemberStore, caller: Caller, userId: string): Promise<MemberRow> {
  const member = await members.find(caller.organizationId, userId);
  if (member !== undefined) return member;
  throw notFound(userId);
}

const roleIn = (member: MemberRow, projectId: ProjectId | null): Role | null =>
  projectId === null ? member.role : (member.projects.find(({ project_id }) => project_id === projectId)?.role ?? null);

async function keepAnOwner(members: MemberStore, caller: Caller): Promise<void> {
  if ((await members.countOwners(caller.organizationId)) > 1) return;
  throw new AppError("member.last_owner", "An organization keeps at least one owner.");
}

async function withdraw(
  transaction: ConstructorParameters<typeof InvitationStore>[0],
  caller: Caller,
  userId: UserId,
): Promise<void> {
  await new InvitationStore(transaction).deleteOpenBy(caller.organizationId, userId);
}

const notFound = (userId: string): AppError => new AppError("member.not_found", `There is no member "${userId}".`);
