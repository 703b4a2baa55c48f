/** @file What tests ask of a whole log. */
import { type AuditEntry, auditEntry, type OrganizationId } from "@gristmill/contract";
import type { AuditLog } from "../index.ts";

/** All entries, each of the wire's shape, after the chain was found whole. */
export async function wholeLog(log: AuditLog, organizationId: OrganizationId): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of log.entries(organizationId, 0)) entries.push(auditEntry.parse(entry));
  const verified = await log.verify(organizationId, {});
  if (!verified.valid || verified.entries !== entries.length)
    throw new Error(`the chain is broken: ${JSON.stringify(verified)} of ${entries.length} entries`);
  return entries;
}
