/** @file `GET /v1/organization/audit_logs`, in OpenAI's shape. What it has no type for is in `/api/audit-log` only. */
import {
  type AuditEntry,
  listOf,
  type OpenaiAuditActor,
  type OpenaiAuditLog,
  type OpenaiAuditLogsQuery,
  openaiAuditLog,
  openaiAuditLogsQuery,
} from "@gristmill/contract";
import type { AuditLog, EntryFilter } from "../../audit/index.ts";
import type { Database } from "../../db/index.ts";
import { type Caller, pageOf, type Route, route } from "../../http/index.ts";
import { type AuditLogNames, findNames, userIdsOf } from "./audit-log-names.ts";
import { actionsOf, toldOf } from "./audit-log-types.ts";

/** What the route needs. */
export interface AuditLogRouteParts {
  readonly log: AuditLog;
  readonly db: Database;
}

/** The routes of OpenAI's audit logs. */
export const auditLogRoutes = ({ log, db }: AuditLogRouteParts): readonly Route[] => [
  route({
    method: "GET",
    path: "/v1/organization/audit_logs",
    summary: "List user actions and configuration changes, newest first",
    tag: "OpenAI: organization",
    surface: "openai",
    access: { scope: "audit:read" },
    charge: { free: "reading is" },
    query: openaiAuditLogsQuery,
    response: listOf(openaiAuditLog),
    handler: async ({ caller, query }) => {
      const { limit, after, before } = query;
      const page = { limit, order: "desc", ...definedOf({ after, before }) } as const;
      const filter = await filterOf(db, caller, query);
      const entries = filter === undefined ? [] : await log.find(caller.organizationId, filter, page);
      const names = await findNames(db, caller.organizationId, entries);
      return { body: pageOf(entries, limit, (entry) => toOpenai(entry, names)) };
    },
  }),
];

/** undefined: nothing can match. */
async function filterOf(db: Database, caller: Caller, query: OpenaiAuditLogsQuery): Promise<EntryFilter | undefined> {
  const emails = query["actor_emails[]"];
  const ofEmails = emails === undefined ? undefined : await userIdsOf(db, caller.organizationId, emails);
  const actorIds = query["actor_ids[]"];
  const both = ofEmails !== undefined && actorIds !== undefined;
  const actors = both ? actorIds.filter((id) => ofEmails.includes(id)) : (actorIds ?? ofEmails);
  const actions = actionsOf(query["event_types[]"]);
  const lists = [actions, actors, query["project_ids[]"], query["resource_ids[]"]];
  // Tenants stand above organizations; here nothing does.
  if (query.tenant_only === "true" || lists.some((list) => list?.length === 0)) return undefined;
  return {
    actions,
    // What was refused is not in OpenAI's log, but failed logins, which have a type of their own.
    endedWell: true,
    ...definedOf({
      projectIds: query["project_ids[]"],
      actorIds: actors,
      targetIds: query["resource_ids[]"],
      from: latest(secondsTo(query["effective_at[gte]"], 0), secondsTo(query["effective_at[gt]"], 1)),
      to: earliest(secondsTo(query["effective_at[lt]"], 0), secondsTo(query["effective_at[lte]"], 1)),
    }),
  };
}

/** An `effective_at` is cut to its second: "greater than 5" begins with 6. */
const secondsTo = (seconds: number | undefined, more: 0 | 1): Date | undefined =>
  seconds === undefined ? undefined : new Date((seconds + more) * 1000);

const latest = (a: Date | undefined, b: Date | undefined): Date | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a;

const earliest = (a: Date | undefined, b: Date | undefined): Date | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

function toOpenai(entry: AuditEntry, names: AuditLogNames): OpenaiAuditLog {
  const told = toldOf(entry);
  if (told === undefined) throw new Error(`OpenAI's audit logs have no type for ${entry.action}`);
  const projectName = names.projects.get(entry.project_id ?? "");
  return {
    id: entry.id,
    type: told.type,
    effective_at: Math.floor(Date.parse(entry.at) / 1000),
    ...(entry.project_id === null || projectName === undefined
      ? {}
      : { project: { id: entry.project_id, name: projectName } }),
    actor: actorOf(entry, names),
    [told.type]: told.payload,
  };
}

function actorOf({ actor, address, details }: AuditEntry, names: AuditLogNames): OpenaiAuditActor | null {
  const ipAddress = address === null ? {} : { ip_address: address };
  const user = (id: string) => ({ id, ...definedOf({ email: names.emails.get(id) }) });
  switch (actor.type) {
    case "system":
      return null;
    case "user":
      return { type: "session", session: { user: user(actor.id ?? ""), ...ipAddress } };
    case "anonymous": {
      const { email } = details;
      return { type: "session", session: { ...(typeof email === "string" ? { user: { email } } : {}), ...ipAddress } };
    }
    case "admin_key":
      return { type: "api_key", api_key: { id: "admin_key", type: "service_account" } };
    case "key": {
      const id = actor.id ?? "";
      const { userId = null, serviceAccountId = null } = names.owners.get(id) ?? {};
      if (userId !== null) return { type: "api_key", api_key: { id, type: "user", user: user(userId) } };
      const account = serviceAccountId === null ? {} : { service_account: { id: serviceAccountId } };
      return { type: "api_key", api_key: { id, type: "service_account", ...account } };
    }
  }
}

/** The fields that have a value. */
function definedOf<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
