/** @file API keys of a project. */
import { z } from "zod";
import { scopes } from "../scopes.ts";
import { resourceName, timestamp } from "./common.ts";

/** Deployments (or models) that a key may use, by name. */
const modelList = z.array(resourceName).min(1).max(100);
const keyName = z.string().min(1).max(100);
const keyScopes = z.array(z.enum(scopes).exclude(["admin"])).min(1);

export const apiKey = z.object({
  id: z.string(),
  object: z.literal("key"),
  project_id: z.string(),
  name: z.string(),
  /** The first characters, to recognize it by. */
  prefix: z.string(),
  /** What its maker gave; the owner's role, when there is an owner, bounds it further. */
  scopes: z.array(z.enum(scopes)),
  /** null: all of the project. */
  models: z.array(z.string()).nullable(),
  /** The member whose key it is; the key can do no more than they can. */
  user_id: z.string().nullable(),
  /** The service account whose key it is. Both null: the operator's. */
  service_account_id: z.string().nullable(),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable(),
  revoked_at: timestamp.nullable(),
  rotated_at: timestamp.nullable(),
  /** Until when the secret before the last rotation goes on. */
  grace_ends_at: timestamp.nullable(),
});
export type ApiKey = z.infer<typeof apiKey>;

export const createKey = z.strictObject({
  name: keyName,
  /** Default: the usual ones that the caller holds. */
  scopes: keyScopes.optional(),
  /** Default: as many as the caller may use. */
  models: modelList.nullable().optional(),
  expires_at: z.iso.datetime().optional(),
  /** Id or name of the account that the key shall belong to. */
  service_account: z.string().min(1).max(100).optional(),
});
export type CreateKey = z.infer<typeof createKey>;

export const updateKey = z.strictObject({
  name: keyName.optional(),
  scopes: keyScopes.optional(),
  models: modelList.nullable().optional(),
  expires_at: z.iso.datetime().nullable().optional(),
});
export type UpdateKey = z.infer<typeof updateKey>;

export const rotateKey = z.strictObject({
  /** How long the secret of now goes on beside the new one; a week at most. */
  grace_seconds: z.number().int().min(0).max(604_800).default(0),
});
export type RotateKey = z.input<typeof rotateKey>;

/** The only answers that hold the key itself: of its making and of its rotation. */
export const createdKey = apiKey.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKey>;
