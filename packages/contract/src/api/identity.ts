/** @file Projects and their API keys. */
import { z } from "zod";
import { scopes } from "../scopes.ts";
import { resourceName, timestamp } from "./common.ts";

export const project = z.object({
  id: z.string(),
  object: z.literal("project"),
  name: z.string(),
  created_at: timestamp,
});
export type Project = z.infer<typeof project>;

export const createProject = z.strictObject({ name: resourceName });
export type CreateProject = z.infer<typeof createProject>;

export const apiKey = z.object({
  id: z.string(),
  object: z.literal("key"),
  project_id: z.string(),
  name: z.string(),
  /** The first characters, to recognize it by. */
  prefix: z.string(),
  scopes: z.array(z.enum(scopes)),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable(),
  revoked_at: timestamp.nullable(),
});
export type ApiKey = z.infer<typeof apiKey>;

export const createKey = z.strictObject({
  name: z.string().min(1).max(100),
  scopes: z
    .array(z.enum(scopes).exclude(["admin"]))
    .min(1)
    .optional(),
  expires_at: z.iso.datetime().optional(),
});
export type CreateKey = z.infer<typeof createKey>;

/** The only answer that holds the key itself. */
export const createdKey = apiKey.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKey>;
