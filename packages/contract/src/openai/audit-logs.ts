/** @file OpenAI's audit logs: https://platform.openai.com/docs/api-reference/audit-logs. */
import { z } from "zod";

/** `name[]=a&name[]=b`, as OpenAI's clients write lists; a list of one arrives as text. */
const texts = z
  .union([z.string().max(320), z.array(z.string().max(320)).max(100)])
  .transform((value) => (typeof value === "string" ? [value] : value))
  .optional();
const unixSeconds = z.coerce.number().int().min(0).max(253_402_300_799).optional();

/** `?` of the list. */
export const openaiAuditLogsQuery = z.strictObject({
  "effective_at[gt]": unixSeconds,
  "effective_at[gte]": unixSeconds,
  "effective_at[lt]": unixSeconds,
  "effective_at[lte]": unixSeconds,
  "project_ids[]": texts,
  "event_types[]": texts,
  "actor_ids[]": texts,
  "actor_emails[]": texts,
  "resource_ids[]": texts,
  tenant_only: z.enum(["true", "false"]).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().max(64).optional(),
  before: z.string().max(64).optional(),
});
export type OpenaiAuditLogsQuery = z.infer<typeof openaiAuditLogsQuery>;

const user = z.object({ id: z.string().optional(), email: z.string().optional() });

/** Who made a change, as OpenAI tells it. */
export const openaiAuditActor = z.object({
  type: z.enum(["session", "api_key"]),
  session: z.object({ user: user.optional(), ip_address: z.string().optional() }).optional(),
  api_key: z
    .object({
      id: z.string(),
      type: z.enum(["user", "service_account"]),
      user: user.optional(),
      service_account: z.object({ id: z.string() }).optional(),
    })
    .optional(),
});
export type OpenaiAuditActor = z.infer<typeof openaiAuditActor>;

/** One entry; what it is about stands under the name of its type: `"project.created": {"id", "data"}`. */
export const openaiAuditLog = z.looseObject({
  id: z.string(),
  type: z.string(),
  /** Seconds since 1970. */
  effective_at: z.int(),
  project: z.object({ id: z.string(), name: z.string() }).optional(),
  actor: openaiAuditActor.nullable(),
});
export type OpenaiAuditLog = z.infer<typeof openaiAuditLog>;
