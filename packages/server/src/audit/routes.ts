/** @file The audit log over HTTP: parse, call, reply. */
import { Readable } from "node:stream";
import {
  type AuditEntry,
  auditEntry,
  auditExportQuery,
  auditLogQuery,
  auditVerification,
  auditVerificationQuery,
  deniedAccess,
  deniedAccessQuery,
  listOf,
} from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { pageOf, type Route, route } from "../http/index.ts";
import { listDenials } from "./denial-store.ts";
import type { AuditLog } from "./log.ts";

const common = { tag: "Audit log", access: { scope: "audit:read" }, charge: { free: "reading is" } } as const;

/** Routes of `/api/audit-log` and `/api/denied-accesses`. */
export const auditRoutes = (log: AuditLog, db: Database): readonly Route[] => [
  route({
    ...common,
    method: "GET",
    path: "/api/audit-log",
    summary: "List the organization's audit entries",
    query: auditLogQuery,
    response: listOf(auditEntry),
    handler: async ({ caller, query }) => {
      const { limit, order, after, action, outcome, project_id, actor_id, target_id, request_id, from, to } = query;
      const filter = {
        ...(action === undefined ? {} : { actions: [action] }),
        ...(outcome === undefined ? {} : { outcomes: [outcome] }),
        ...(project_id === undefined ? {} : { projectIds: [project_id] }),
        ...(actor_id === undefined ? {} : { actorIds: [actor_id] }),
        ...(target_id === undefined ? {} : { targetIds: [target_id] }),
        ...(request_id === undefined ? {} : { requestId: request_id }),
        ...(from === undefined ? {} : { from: new Date(from) }),
        ...(to === undefined ? {} : { to: new Date(to) }),
      };
      const page = { limit, order, ...(after === undefined ? {} : { after }) };
      return { body: pageOf(await log.find(caller.organizationId, filter, page), limit, (entry) => entry) };
    },
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/audit-log/export",
    summary: "Export the audit log as JSON lines, oldest first; anybody can check it: see docs/audit-log.md",
    audit: { action: "audit_log.exported" },
    query: auditExportQuery,
    handler: async ({ caller, query, signal }) => ({
      headers: {
        "content-type": "application/x-ndjson; charset=utf-8",
        "content-disposition": 'attachment; filename="audit-log.jsonl"',
        "cache-control": "no-store",
      },
      body: Readable.from(lines(log.entries(caller.organizationId, query.after_number, signal)), { objectMode: false }),
    }),
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/audit-log/verification",
    summary: "Compute every hash of the audit log again: is each entry as it was written?",
    query: auditVerificationQuery,
    response: auditVerification,
    handler: async ({ caller, query, signal }) => ({ body: await log.verify(caller.organizationId, query, signal) }),
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/denied-accesses",
    summary: "List accesses that were denied, by caller, route, code and minute",
    query: deniedAccessQuery,
    response: listOf(deniedAccess),
    handler: async ({ caller, query }) => {
      // Whoever called without a valid key is of no organization: the operator's to see.
      const asked = { ...query, withUnknown: caller.kind === "admin" };
      return { body: pageOf(await listDenials(db, caller.organizationId, asked), query.limit, (row) => row) };
    },
  }),
];

/** Some hundred lines in a chunk: a chunk for each would cost more than its line. */
async function* lines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  let text = "";
  for await (const entry of entries) {
    text += `${JSON.stringify(entry)}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}
