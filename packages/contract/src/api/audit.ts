/** @file The audit log: every change, who made it and how it ended; and the accesses that were denied. */
import { z } from "zod";
import { auditActions } from "../audit-actions.ts";
import { listQuery, timestamp } from "./common.ts";

/** `unknown`: the server was killed before the change had ended. */
export const auditOutcomes = ["succeeded", "failed", "unknown"] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** Who made a change. `anonymous`: nobody who had signed in, such as a failed login. `system`: the server by itself. */
export const auditActorTypes = ["admin_key", "key", "user", "anonymous", "system"] as const;
export type AuditActorType = (typeof auditActorTypes)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

/** What more is said of a change: fields of the request. Whole numbers only, so that every language writes them alike. */
export const auditDetails = z.record(
  z.string().max(64),
  z.union([z.string().max(512), z.int(), z.boolean(), z.null(), z.array(z.string().max(512)).max(100)]),
);
export type AuditDetails = z.infer<typeof auditDetails>;

/** One entry. `hash` is the sha256 of all other fields as canonical JSON (audit-chain.ts). */
export const auditEntry = z.strictObject({
  id: z.string(),
  object: z.literal("audit.entry"),
  organization_id: z.string(),
  /** From 1, in every organization, without gaps. */
  number: z.int().min(1),
  /** Of the entry before; 64 zeros in the first. */
  previous_hash: sha256,
  hash: sha256,
  action: z.enum(auditActions),
  outcome: z.enum(auditOutcomes),
  /** HTTP status of the answer; null: there was none. */
  status: z.int().nullable(),
  /** null: it did not fail, or not with a code. */
  error_code: z.string().nullable(),
  actor: z.strictObject({ type: z.enum(auditActorTypes), id: z.string().nullable() }),
  project_id: z.string().nullable(),
  /** What was changed. null: not known, because it was not made. */
  target_id: z.string().nullable(),
  path: z.string().nullable(),
  /** The client's. */
  address: z.string().nullable(),
  request_id: z.string().nullable(),
  details: auditDetails,
  began_at: timestamp,
  /** When it had ended and the entry was written. */
  at: timestamp,
});
export type AuditEntry = z.infer<typeof auditEntry>;

const instant = z.iso.datetime({ offset: true });
const id = z.string().max(64);

/** `?` of the audit log. */
export const auditLogQuery = listQuery.extend({
  action: z.enum(auditActions).optional(),
  outcome: z.enum(auditOutcomes).optional(),
  project_id: id.optional(),
  actor_id: id.optional(),
  target_id: id.optional(),
  request_id: id.optional(),
  /** Inclusive. */
  from: instant.optional(),
  /** Exclusive. */
  to: instant.optional(),
});
export type AuditLogQuery = z.infer<typeof auditLogQuery>;

/** `?` of an export. */
export const auditExportQuery = z.strictObject({
  /** The number of the last entry that is there already. */
  after_number: z.coerce.number().int().min(0).default(0),
});
export type AuditExportQuery = z.infer<typeof auditExportQuery>;

/** `?` of a verification: an entry's number and hash that were kept outside, such as the `head` of an earlier answer. */
export const auditVerificationQuery = z
  .strictObject({ number: z.coerce.number().int().min(1).optional(), hash: sha256.optional() })
  .refine(({ number, hash }) => (number === undefined) === (hash === undefined), "number and hash go together");
export type AuditVerificationQuery = z.infer<typeof auditVerificationQuery>;

/** What a verification found. */
export const auditVerification = z.object({
  object: z.literal("audit.verification"),
  valid: z.boolean(),
  /** How many were checked and found good, from the first on. */
  entries: z.int(),
  /** The last good entry: keep it outside, and ask for it with the next verification. */
  head: z.object({ number: z.int(), hash: sha256 }),
  /** The first entry that is not as it was written. */
  broken: z.object({ number: z.int(), fault: z.string() }).nullable(),
});
export type AuditVerification = z.infer<typeof auditVerification>;

/** Accesses of one caller to one route that were denied for one reason within one minute. */
export const deniedAccess = z.object({
  id: z.string(),
  object: z.literal("denied_access"),
  /** When the minute began. */
  minute: timestamp,
  /** null: it is not known who called. */
  project_id: z.string().nullable(),
  /** A key's or a user's id, or "admin_key"; else null. */
  actor_id: z.string().nullable(),
  /** The client's address; of IPv6 the network of 64 bits. null: one of many. */
  address: z.string().nullable(),
  route: z.string(),
  code: z.string(),
  count: z.int(),
});
export type DeniedAccess = z.infer<typeof deniedAccess>;

/** `?` of the list of denied accesses. */
export const deniedAccessQuery = listQuery.extend({
  after: z.string().max(64).optional(),
  code: z.string().max(64).optional(),
  actor_id: id.optional(),
  address: z.string().max(64).optional(),
  from: instant.optional(),
  to: instant.optional(),
});
export type DeniedAccessQuery = z.infer<typeof deniedAccessQuery>;
