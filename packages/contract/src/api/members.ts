/** @file Members of an organization, their invitations, and accounts of programs. */
import { z } from "zod";
import { roleNames } from "../scopes.ts";
import { listQuery, timestamp } from "./common.ts";
import { emailAddress } from "./sign-in.ts";

const role = z.enum(roleNames);
const nameOrId = z.string().min(1).max(64);

export const member = z.object({
  /** The user's. */
  id: z.string(),
  object: z.literal("member"),
  email: z.string(),
  name: z.string(),
  /** In the whole organization; null: only in the projects listed. */
  role: role.nullable(),
  projects: z.array(z.object({ project_id: z.string(), role })),
  created_at: timestamp,
});
export type Member = z.infer<typeof member>;

/** `project` (name or id): only who has a role in that project of its own. */
export const listMembers = listQuery.extend({ project: nameOrId.optional() });

/** `project` (name or id): the role in that project instead of the organization's. */
export const memberQuery = z.strictObject({ project: nameOrId.optional() });

export const updateMember = z.strictObject({ role });
export type UpdateMember = z.infer<typeof updateMember>;

export const invitation = z.object({
  id: z.string(),
  object: z.literal("invitation"),
  email: z.string(),
  role,
  /** null: to the whole organization. */
  project_id: z.string().nullable(),
  invited_by: z.string().nullable(),
  created_at: timestamp,
  expires_at: timestamp,
  accepted_at: timestamp.nullable(),
});
export type Invitation = z.infer<typeof invitation>;

export const createInvitation = z.strictObject({ email: emailAddress, role, project: nameOrId.optional() });
export type CreateInvitation = z.input<typeof createInvitation>;

/** The only answer that holds the token, which accepts the invitation. */
export const createdInvitation = invitation.extend({ token: z.string() });
export type CreatedInvitation = z.infer<typeof createdInvitation>;

const accountName = z.string().trim().min(1).max(100);

export const serviceAccount = z.object({
  id: z.string(),
  object: z.literal("service_account"),
  name: z.string(),
  role,
  /** null: its role holds in every project of the organization. */
  project_id: z.string().nullable(),
  created_at: timestamp,
  /** Set: its keys are refused. */
  disabled_at: timestamp.nullable(),
});
export type ServiceAccount = z.infer<typeof serviceAccount>;

export const createServiceAccount = z.strictObject({ name: accountName, role, project: nameOrId.optional() });
export type CreateServiceAccount = z.infer<typeof createServiceAccount>;

export const updateServiceAccount = z.strictObject({
  name: accountName.optional(),
  role: role.optional(),
  disabled: z.boolean().optional(),
});
export type UpdateServiceAccount = z.infer<typeof updateServiceAccount>;
