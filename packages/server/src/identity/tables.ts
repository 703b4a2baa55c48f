/** @file Rows of identity. */
import type { Id, KeyId, OrganizationId, ProjectId, Role, Scope, UserId } from "@gristmill/contract";
import type { ColumnType, Generated, Kysely, Selectable, Transaction } from "kysely";

interface OrganizationTable {
  id: OrganizationId;
  name: string;
  display_name: string | null;
  created_at: Generated<Date>;
}

interface ProjectTable {
  id: ProjectId;
  organization_id: OrganizationId;
  name: string;
  description: Generated<string>;
  created_at: Generated<Date>;
  archived_at: Date | null;
}

interface KeyTable {
  id: KeyId;
  project_id: ProjectId;
  name: string;
  prefix: string;
  secret_sha256: Buffer;
  scopes: Scope[];
  models: string[] | null;
  user_id: UserId | null;
  service_account_id: Id<"serviceAccount"> | null;
  created_at: Generated<Date>;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  rotated_at: Date | null;
  previous_prefix: string | null;
  previous_sha256: Buffer | null;
  grace_ends_at: Date | null;
}

interface MembershipTable {
  organization_id: OrganizationId;
  project_id: ProjectId | null;
  user_id: UserId;
  role: Role;
  created_at: Generated<Date>;
}

interface InvitationTable {
  id: Id<"invitation">;
  organization_id: OrganizationId;
  project_id: ProjectId | null;
  email: string;
  role: Role;
  token_sha256: Buffer;
  invited_by: UserId | null;
  created_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  accepted_by: UserId | null;
}

interface ServiceAccountTable {
  id: Id<"serviceAccount">;
  organization_id: OrganizationId;
  project_id: ProjectId | null;
  name: string;
  role: Role;
  created_at: Generated<Date>;
  disabled_at: Date | null;
  deleted_at: Date | null;
}

/** Of sign-in's table, what a list of members shows. */
interface UserTable {
  id: ColumnType<UserId, never, never>;
  email: ColumnType<string, never, never>;
  name: ColumnType<string, never, never>;
}

/** All that identity reads or writes. */
export type Tables = {
  organization: OrganizationTable;
  project: ProjectTable;
  api_key: KeyTable;
  membership: MembershipTable;
  invitation: InvitationTable;
  service_account: ServiceAccountTable;
  user_account: UserTable;
};

/** A session, or the transaction that a change belongs to. */
export type Identities = Kysely<Tables> | Transaction<Tables>;

export type OrganizationRow = Selectable<OrganizationTable>;
export type ProjectRow = Selectable<ProjectTable>;
export type KeyRow = Selectable<KeyTable>;
export type MembershipRow = Selectable<MembershipTable>;
export type InvitationRow = Selectable<InvitationTable>;
export type ServiceAccountRow = Selectable<ServiceAccountTable>;
