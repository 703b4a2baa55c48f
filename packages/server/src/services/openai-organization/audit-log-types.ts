/** @file Pure: our audit actions as OpenAI's event types, and what each says under its name. */
import type { AuditAction, AuditEntry } from "@gristmill/contract";

/** One of OpenAI's types and the payload of an entry. */
interface Told {
  readonly type: string;
  readonly payload: (entry: AuditEntry) => Record<string, unknown>;
}

type Fields = Record<string, unknown>;

const id = (entry: AuditEntry): Fields => (entry.target_id === null ? {} : { id: entry.target_id });
const idOnly = (type: string): Told => ({ type, payload: id });
const bare = (type: string): Told => ({ type, payload: () => ({}) });
const telling =
  (name: "data" | "changes_requested", fields: (entry: AuditEntry) => Fields) =>
  (type: string): Told => ({ type, payload: (entry) => ({ ...id(entry), [name]: fields(entry) }) });

/** OpenAI knows owners and members. */
const role = ({ details }: AuditEntry): Fields =>
  details["role"] === undefined ? {} : { role: details["role"] === "owner" ? "owner" : "member" };
const scopes = ({ details }: AuditEntry): Fields =>
  details["scopes"] === undefined ? {} : { scopes: details["scopes"] };
const title = ({ details }: AuditEntry): Fields => (details["name"] === undefined ? {} : { title: details["name"] });
const nameAndTitle = (entry: AuditEntry): Fields => {
  const { name } = entry.details;
  return name === undefined ? {} : { name, title: name };
};
const displayName = ({ details }: AuditEntry): Fields =>
  details["display_name"] == null ? {} : { title: details["display_name"] };
const emailAndRole = (entry: AuditEntry): Fields => {
  const { email } = entry.details;
  return { ...(email === undefined ? {} : { email }), ...role(entry) };
};
const limits: Readonly<Record<string, string>> = {
  requests_per_minute: "max_requests_per_1_minute",
  tokens_per_minute: "max_tokens_per_1_minute",
};
const limit = ({ details }: AuditEntry): Fields => {
  const name = limits[String(details["metric"])];
  return name === undefined ? {} : { [name]: details["value"] };
};

/** Actions that OpenAI's log has a type for. All others are in our own log only. */
const table: { readonly [A in AuditAction]?: Told } = {
  "organization.updated": telling("changes_requested", displayName)("organization.updated"),
  "project.created": telling("data", nameAndTitle)("project.created"),
  "project.updated": telling("changes_requested", title)("project.updated"),
  "project.archived": idOnly("project.archived"),
  "member.updated": telling("changes_requested", role)("user.updated"),
  "member.removed": idOnly("user.deleted"),
  "user.created": telling("data", role)("user.added"),
  "invitation.sent": telling("data", emailAndRole)("invite.sent"),
  "invitation.accepted": idOnly("invite.accepted"),
  "invitation.deleted": idOnly("invite.deleted"),
  "login.succeeded": bare("login.succeeded"),
  "login.failed": {
    type: "login.failed",
    payload: ({ error_code }) => (error_code === null ? {} : { error_code, error_message: "The login was refused." }),
  },
  "logout.succeeded": bare("logout.succeeded"),
  "service_account.created": telling("data", role)("service_account.created"),
  "service_account.updated": telling("changes_requested", role)("service_account.updated"),
  "service_account.deleted": idOnly("service_account.deleted"),
  "api_key.created": telling("data", scopes)("api_key.created"),
  "api_key.updated": telling("changes_requested", scopes)("api_key.updated"),
  "api_key.rotated": telling("changes_requested", () => ({}))("api_key.updated"),
  "api_key.deleted": idOnly("api_key.deleted"),
  "limit.created": telling("changes_requested", limit)("rate_limit.updated"),
  "limit.updated": telling("changes_requested", limit)("rate_limit.updated"),
  "limit.deleted": idOnly("rate_limit.deleted"),
};

/** Our actions of these types; of all when undefined. */
export const actionsOf = (types: readonly string[] | undefined): readonly AuditAction[] =>
  (Object.keys(table) as AuditAction[]).filter((action) => types?.includes(table[action]?.type ?? "") !== false);

/** Type and payload of an entry; undefined: OpenAI has no type for it. */
export function toldOf(entry: AuditEntry): { readonly type: string; readonly payload: Fields } | undefined {
  const told = table[entry.action as AuditAction];
  return told === undefined ? undefined : { type: told.type, payload: told.payload(entry) };
}
