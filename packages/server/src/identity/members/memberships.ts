/** @file What sign-in needs of members: as whom a user calls, and how a user becomes a member. */
import {
  AppError,
  type Id,
  isId,
  type OrganizationId,
  type ProjectId,
  type Role,
  reachOf,
  type Scope,
  type UserId,
} from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Caller } from "../../http/index.ts";
import { heldIn, isLess } from "../grants.ts";
import { InvitationStore } from "../invitations/store.ts";
import { memberScopes } from "../keys/standing.ts";
import type { ProjectStore } from "../projects/store.ts";
import { hashOf } from "../secret.ts";
import type { InvitationRow, MembershipRow, ProjectRow, Tables } from "../tables.ts";
import { lockOrganization, MemberStore, type NamedMembership } from "./store.ts";

/** Where a user is a member. */
export interface UserMembership {
  readonly organizationId: OrganizationId;
  readonly organization: string;
  /** null: of the whole organization. */
  readonly projectId: ProjectId | null;
  readonly project: string | null;
  readonly role: Role;
}

/** An invitation that can still be accepted. */
export interface OpenInvitation {
  readonly id: Id<"invitation">;
  readonly organizationId: OrganizationId;
  /** null: to the whole organization. */
  readonly projectId: ProjectId | null;
  /** In lower case. */
  readonly email: string;
  readonly role: Role;
}

/** Who is a member of what. */
export interface Memberships {
  /**
   * A user as a caller, in the organization and project that the request names (ids or names), else in the first
   * membership's oldest project.
   * @throws AppError `project.not_found` for what does not exist, is not open to the user, or when there is no membership.
   */
  callerOf(
    userId: UserId,
    selected: { readonly organization?: string | undefined; readonly project?: string | undefined },
  ): Promise<Caller>;
  /** Oldest first. */
  membershipsOf(userId: UserId): Promise<readonly UserMembership[]>;
  /** undefined: unknown, accepted, withdrawn or expired. */
  findInvitation(token: string): Promise<OpenInvitation | undefined>;
  /**
   * Makes the user a member as the invitation says; of two at once one succeeds. A role that the user has is never lessened.
   * @throws AppError `invitation.not_found`; `invitation.other_address` when it is not the user's address that was invited.
   */
  acceptInvitation(transaction: Transaction<unknown>, token: string, userId: UserId): Promise<OpenInvitation>;
  /** Makes the user a member of a whole organization; who is one keeps the role. */
  addMember(
    transaction: Transaction<unknown>,
    member: { readonly organizationId: OrganizationId; readonly userId: UserId; readonly role: Role },
  ): Promise<void>;
}

/** What it needs. */
export interface MembershipParts {
  readonly members: MemberStore;
  readonly invitations: InvitationStore;
  readonly projects: ProjectStore;
  readonly now: () => Date;
}

/** Of the database, at every call: a role that was taken away counts no more. */
export function createMemberships(parts: MembershipParts): Memberships {
  const { members, invitations, now } = parts;
  return {
    callerOf: async (userId, selected) => {
      const all = await members.listOf(userId);
      const project = await selectProject(parts, all, selected);
      const scopes = memberScopes(
        all.find((row) => row.organization_id === project.organization_id && row.project_id === null)?.role ?? null,
        all.find((row) => row.project_id === project.id)?.role ?? null,
      );
      return {
        kind: "user",
        organizationId: project.organization_id,
        projectId: project.id,
        keyId: null,
        userId,
        scopes: project.archived_at === null ? scopes : new Set([...scopes].filter(isOfArchive)),
        models: null,
      };
    },
    membershipsOf: async (userId) => (await members.listOf(userId)).map(toMembership),
    findInvitation: async (token) => {
      const row = await invitations.findByToken(hashOf(token), now());
      return row && toInvitation(row);
    },
    acceptInvitation: (transaction, token, userId) => accept(transaction, token, userId, now()),
    addMember: async (transaction, { organizationId, userId, role }) => {
      await raise(transaction, { organization_id: organizationId, project_id: null, user_id: userId, role }, false);
    },
  };
}

/** In an archived project nothing can be changed but the organization around it. */
const isOfArchive = (scope: Scope): boolean => reachOf(scope) === "organization" || scope.endsWith(":read");

async function selectProject(
  { projects }: MembershipParts,
  all: readonly NamedMembership[],
  { organization, project }: { readonly organization?: string | undefined; readonly project?: string | undefined },
): Promise<ProjectRow> {
  const mine = all.filter(
    (row) =>
      organization === undefined || row.organization_id === organization || row.organization_name === organization,
  );
  const [first] = mine;
  if (first === undefined) {
    const what =
      organization === undefined ? "You are a member of no organization" : `There is no organization "${organization}"`;
    throw new AppError("project.not_found", `${what}.`);
  }
  const isOpen = (row: ProjectRow): boolean =>
    mine.some(
      (one) => one.organization_id === row.organization_id && (one.project_id === null || one.project_id === row.id),
    );
  if (project !== undefined) {
    const byId = isId("project", project) ? await projects.findById(project) : undefined;
    if (byId !== undefined && isOpen(byId)) return byId;
    const byName = await projects.find(first.organization_id, project, "all");
    if (byName !== undefined && isOpen(byName)) return byName;
    throw new AppError("project.not_found", `There is no project "${project}".`);
  }
  const within = mine.filter((row) => row.organization_id === first.organization_id);
  const isWide = within.some((row) => row.project_id === null);
  const found = await projects.findOldest(
    first.organization_id,
    isWide ? "all" : within.flatMap((row) => row.project_id ?? []),
  );
  if (found !== undefined) return found;
  throw new AppError("project.not_found", "You are a member of no project.");
}

async function accept(
  transaction: Transaction<unknown>,
  token: string,
  userId: UserId,
  at: Date,
): Promise<OpenInvitation> {
  const store = new InvitationStore(transaction);
  const gone = new AppError("invitation.not_found", "This invitation is unknown, accepted, withdrawn or has expired.");
  const before = await store.findByToken(hashOf(token), at);
  if (before === undefined) throw gone;
  await lockOrganization(transaction.withTables<Tables>(), before.organization_id);
  // Read again: until the lock it could be accepted or withdrawn.
  const row = await store.findByToken(hashOf(token), at);
  if (row === undefined) throw gone;
  if ((await store.emailOf(userId))?.toLowerCase() !== row.email)
    throw new AppError("invitation.other_address", "Another address was invited.");
  await store.accept(row.id, userId, at);
  await raise(transaction, { ...row, user_id: userId }, true);
  return toInvitation(row);
}

/** Who has a role already keeps it, unless the new one `mayReplace` it and takes nothing away. */
async function raise(
  transaction: Transaction<unknown>,
  {
    organization_id,
    project_id,
    user_id,
    role,
  }: Pick<MembershipRow, "organization_id" | "project_id" | "user_id" | "role">,
  mayReplace: boolean,
): Promise<void> {
  const members = new MemberStore(transaction);
  const mine = await members.listOf(user_id);
  const former = mine.find((row) => row.organization_id === organization_id && row.project_id === project_id)?.role;
  if (former !== undefined && (!mayReplace || isLess(former, role, heldIn(project_id)))) return;
  await members.set({ organization_id, project_id, user_id, role });
}

const toMembership = (row: NamedMembership): UserMembership => ({
  organizationId: row.organization_id,
  organization: row.organization_name,
  projectId: row.project_id,
  project: row.project_name,
  role: row.role,
});

const toInvitation = (row: InvitationRow): OpenInvitation => ({
  id: row.id,
  organizationId: row.organization_id,
  projectId: row.project_id,
  email: row.email,
  role: row.role,
});
