/** @file Organizations and their projects. */
import { z } from "zod";
import { resourceName, timestamp } from "./common.ts";

const displayName = z.string().trim().min(1).max(100);
const description = z.string().max(1000);

export const organization = z.object({
  id: z.string(),
  object: z.literal("organization"),
  /** Unique on this server, and never changed: requests select the organization by it. */
  name: z.string(),
  display_name: z.string().nullable(),
  created_at: timestamp,
});
export type Organization = z.infer<typeof organization>;

export const createOrganization = z.strictObject({ name: resourceName, display_name: displayName.optional() });
export type CreateOrganization = z.infer<typeof createOrganization>;

export const updateOrganization = z.strictObject({ display_name: displayName.nullable().optional() });
export type UpdateOrganization = z.infer<typeof updateOrganization>;

export const project = z.object({
  id: z.string(),
  object: z.literal("project"),
  organization_id: z.string(),
  /** Unique in its organization. */
  name: z.string(),
  description: z.string(),
  created_at: timestamp,
  /** Set: its keys are refused, and what it holds can only be read. */
  archived_at: timestamp.nullable(),
});
export type Project = z.infer<typeof project>;

export const createProject = z.strictObject({ name: resourceName, description: description.optional() });
export type CreateProject = z.infer<typeof createProject>;

export const updateProject = z.strictObject({
  name: resourceName.optional(),
  description: description.optional(),
  /** Takes a project back from the archive. */
  archived: z.literal(false).optional(),
});
export type UpdateProject = z.infer<typeof updateProject>;
