/** @file Rules of invitations. */
import { AppError, type createInvitation, type ListQuery, type UserId } from "@gristmill/contract";
import type { z } from "zod";
import type { Caller } from "../../http/index.ts";
import type { NewId } from "../../ids.ts";
import { heldIn, requireRole } from "../grants.ts";
import type { KeyStore } from "../keys/store.ts";
import type { MemberStore } from "../members/store.ts";
import type { ProjectService } from "../projects/service.ts";
import { hashOf, makeInvitationToken, type RandomBytes } from "../secret.ts";
import type { InvitationRow } from "../tables.ts";
import { InvitationStore } from "./store.ts";

/** 7 days. */
const validMs = 7 * 86_400_000;

/** What the service needs. */
export interface InvitationParts {
  readonly store: InvitationStore;
  readonly members: MemberStore;
  readonly keys: KeyStore;
  readonly projects: ProjectService;
  readonly now: () => Date;
  readonly newId: NewId;
  readonly random: RandomBytes;
}

/** Invitations to the organization that is acted in. */
export class InvitationService {
  readonly #parts: InvitationParts;

  constructor(parts: InvitationParts) {
    this.#parts = parts;
  }

  /**
   * Takes the place of an earlier one to the same address and project, whose token ends.
   * @throws AppError `project.not_found`; `auth.forbidden` for a role beyond the caller's.
   */
  async create(
    caller: Caller,
    { email, role, project }: z.output<typeof createInvitation>,
  ): Promise<{ row: InvitationRow; token: string }> {
    const { members, projects, now, newId, random } = this.#parts;
    const { organizationId } = caller;
    const projectId = project === undefined ? null : (await projects.get(caller, project)).id;
    const held = heldIn(projectId);
    requireRole(caller, role, held);
    const token = makeInvitationToken(random);
    const createdAt = now();
    const invitedBy = await this.#personOf(caller);
    const row = await members.alone(organizationId, async (transaction) => {
      const store = new InvitationStore(transaction);
      const earlier = await store.findOpenTo(organizationId, email, projectId);
      if (earlier !== undefined) {
        requireRole(caller, earlier.role, held);
        await store.delete(earlier.id);
      }
      return await store.insert({
        id: newId("invitation"),
        organization_id: organizationId,
        project_id: projectId,
        email,
        role,
        token_sha256: hashOf(token),
        invited_by: invitedBy,
        created_at: createdAt,
        expires_at: new Date(createdAt.getTime() + validMs),
      });
    });
    return { row, token };
  }

  /** Whoever stands behind the call: an invitation by somebody's key ends with their role, as one by themselves does. */
  async #personOf({ userId, keyId, projectId }: Caller): Promise<UserId | null> {
    if (keyId === null) return userId;
    return (await this.#parts.keys.find(projectId, keyId))?.user_id ?? null;
  }

  async list(caller: Caller, query: ListQuery): Promise<InvitationRow[]> {
    return await this.#parts.store.list(caller.organizationId, query);
  }

  /** Its token is refused when this resolves. @throws AppError `invitation.not_found`; `auth.forbidden`. */
  async delete(caller: Caller, id: string): Promise<void> {
    await this.#parts.members.alone(caller.organizationId, async (transaction) => {
      const store = new InvitationStore(transaction);
      const row = await store.find(caller.organizationId, id);
      if (row === undefined) throw new AppError("invitation.not_found", `There is no invitation "${id}".`);
      if (row.accepted_at === null) requireRole(caller, row.role, heldIn(row.project_id));
      await store.delete(row.id);
    });
  }
}
