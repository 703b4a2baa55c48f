/** @file Pure: what the log says of a request and its answer, without ever repeating a secret. */
import { AppError, type AuditDetails, errorTable } from "@gristmill/contract";
import type { Answer, Caller } from "../http/index.ts";
import type { AuditActor, Ending } from "./entry.ts";

/**
 * Fields of requests whose values are told: settings that an auditor asks for. Of all others only the name is told, because a new
 * field may be a secret.
 */
const toldFields: ReadonlySet<string> = new Set([
  "allowed_domains",
  "amount",
  "batching",
  "charge",
  "currency",
  "dataset",
  "default_role",
  "display_name",
  "effective_from",
  "email",
  "event_type",
  "expires_at",
  "grace_seconds",
  "hard",
  "hardware",
  "issuer",
  "meter",
  "metric",
  "model",
  "models",
  "name",
  "period",
  "project",
  "quantity",
  "reason",
  "replicas",
  "role",
  "scopes",
  "service_account",
  "subject",
  "thresholds",
  "value",
  "version",
]);

const longest = 512;
const maxItems = 100;
const maxFields = 64;

/** Text that PostgreSQL can store and every reader can hash: well-formed, without U+0000, cut to a length. */
export const plainText = (text: string, length = longest): string =>
  text.slice(0, length).replaceAll("\0", "\uFFFD").toWellFormed();

/** The told fields of a request's JSON; the names of the rest under `other_fields`. */
export function detailsOf(body: unknown): AuditDetails {
  if (typeof body !== "object" || body === null || body instanceof Uint8Array || Array.isArray(body)) return {};
  const fields = Object.entries(body)
    .filter(([, value]) => value !== undefined)
    .slice(0, maxFields);
  const told = fields.filter(([name]) => toldFields.has(name));
  const others = fields.filter(([name]) => !toldFields.has(name)).map(([name]) => plainText(name, 64));
  return {
    ...Object.fromEntries(told.map(([name, value]) => [name, plainValue(value)])),
    ...(others.length === 0 ? {} : { other_fields: others }),
  };
}

/** Details as they can be hashed: nothing that two languages might write differently. */
export const plainDetails = (details: AuditDetails): AuditDetails =>
  Object.fromEntries(
    Object.entries(details)
      .slice(0, maxFields)
      .map(([name, value]) => [plainText(name, 64), plainValue(value)]),
  );

function plainValue(value: unknown): AuditDetails[string] {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return plainText(value);
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : Number(value); // no -0
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return value.slice(0, maxItems).map((item: string) => plainText(item));
  return plainText(JSON.stringify(value) ?? String(value));
}

/** Who calls. */
export function actorOf(caller: Caller): AuditActor {
  if (caller.kind === "admin") return { type: "admin_key", id: null };
  if (caller.kind === "user") return { type: "user", id: caller.userId };
  return { type: "key", id: caller.keyId };
}

/** How an answer ends a change. */
export function endingOfAnswer(path: string, { status = 200, body }: Answer): Ending {
  return {
    outcome: status < 400 ? "succeeded" : "failed",
    status,
    errorCode: null,
    targetId: idOf(body) ?? idInPath(path),
  };
}

/** How a failure ends a change. */
export function endingOfFailure(path: string, failure: unknown): Ending {
  const code = failure instanceof AppError ? failure.code : "internal";
  return { outcome: "failed", status: errorTable[code].status, errorCode: code, targetId: idInPath(path) };
}

function idOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("id" in body)) return null;
  return typeof body.id === "string" ? plainText(body.id, 200) : null;
}

/** The last part of a path that is an id: what a failed change was about. */
const idInPath = (path: string): string | null =>
  path.split("/").findLast((part) => /^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$/.test(part)) ?? null;
