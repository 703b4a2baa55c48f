/** @file Rows of kept answers. */
import { sql } from "kysely";
import type { Database } from "../db/index.ts";

/** Where an answer is kept. */
export interface Place {
  readonly projectId: string;
  /** "POST /api/runs". */
  readonly route: string;
  /** Of the header's value. */
  readonly keySha256: Buffer;
}

/** A request of a key that wants to be worked on. */
export interface ClaimRequest extends Place {
  readonly fingerprint: Buffer;
  readonly requestId: string;
  readonly instance: number | null;
  readonly keepMs: number;
}

/**
 * `run`: work on it, under `requestId`. `wait`: somebody does. `kept`, `not_kept`: it was answered. `mismatch`: the key was
 * used for another request.
 */
export interface Claim {
  readonly verdict: "run" | "wait" | "kept" | "not_kept" | "mismatch";
  readonly requestId: string;
  /** Of `run`: what the claim is ended with. */
  readonly attempt: number;
  readonly sealed: Buffer | null;
  /** Why an answer was not kept. */
  readonly reason: string | null;
}

/** A claim that this server holds. */
export interface Held extends Place {
  readonly requestId: string;
  readonly attempt: number;
}

/** Asks for a place. */
export async function claim(db: Database, request: ClaimRequest): Promise<Claim> {
  const { projectId, route, keySha256, fingerprint, requestId, instance, keepMs } = request;
  const { rows } = await sql<Omit<Claim, "requestId"> & { request_id: string }>`
    select * from idempotent_claim(${projectId}, ${route}, ${keySha256}, ${fingerprint}, ${requestId}, ${instance}::integer,
      make_interval(secs => ${keepMs / 1000}))`.execute(db);
  const row = rows[0];
  if (row === undefined) throw new Error("idempotent_claim: expected a row, received none");
  const { verdict, attempt, sealed, reason } = row;
  return { verdict, attempt, sealed, reason, requestId: row.request_id };
}

/** What a place keeps. */
export type Keeping = { readonly sealed: Buffer } | { readonly reason: string };

/**
 * Ends a claim with its answer. `isFlushed` false: it may be lost with the machine, and the request is then worked on again
 * under the same request id. Nothing happens when somebody else has taken the place over.
 */
async function keep(db: Database, held: Held, keeping: Keeping, isFlushed: boolean): Promise<void> {
  const sealed = "sealed" in keeping ? keeping.sealed : null;
  const reason = "reason" in keeping ? keeping.reason : null;
  await sql`
    update idempotent_answer set state = ${sealed === null ? "not_kept" : "kept"}, instance = null, sealed = ${sealed},
      size_bytes = ${sealed?.length ?? 0}, reason = ${reason}
    where project_id = ${held.projectId} and route = ${held.route} and key_sha256 = ${held.keySha256}
      and request_id = ${held.requestId} and attempt = ${held.attempt} and state = 'running'
      and (select set_config('synchronous_commit', ${isFlushed ? "on" : "off"}, true)) is not null`.execute(db);
}

/** How a claim ends. */
export type Ending =
  | { readonly kind: "keep"; readonly keeping: Keeping; readonly isFlushed: boolean }
  | { readonly kind: "reopen" }
  | { readonly kind: "forget" };

/** Ends a claim. Doing so twice changes nothing. */
export async function end(db: Database, held: Held, ending: Ending): Promise<void> {
  if (ending.kind === "keep") await keep(db, held, ending.keeping, ending.isFlushed);
  else if (ending.kind === "reopen") await reopen(db, held);
  else await forget(db, held);
}

/** Lets the next request of the key work on it, under the same request id. */
export async function reopen(db: Database, held: Held): Promise<void> {
  await sql`
    update idempotent_answer set state = 'open', instance = null
    where project_id = ${held.projectId} and route = ${held.route} and key_sha256 = ${held.keySha256}
      and request_id = ${held.requestId} and attempt = ${held.attempt} and state = 'running'`.execute(db);
}

/** Forgets that there was a request. */
async function forget(db: Database, held: Held): Promise<void> {
  await sql`
    delete from idempotent_answer
    where project_id = ${held.projectId} and route = ${held.route} and key_sha256 = ${held.keySha256}
      and request_id = ${held.requestId} and attempt = ${held.attempt} and state = 'running'`.execute(db);
}

/** Claims that this server holds, as the database knows. */
export async function listHeld(db: Database, instance: number): Promise<readonly Held[]> {
  const { rows } = await sql<Held>`
    select project_id as "projectId", route, key_sha256 as "keySha256", request_id as "requestId", attempt
    from idempotent_answer where instance = ${instance} and state = 'running'`.execute(db);
  return rows;
}

/** True when something is kept of that key, or worked on. */
export async function isKnown(db: Database, { projectId, route, keySha256 }: Place): Promise<boolean> {
  const { rows } = await sql`
    select from idempotent_answer where project_id = ${projectId} and route = ${route} and key_sha256 = ${keySha256}
      and expires_at > clock_timestamp()`.execute(db);
  return rows.length > 0;
}

/** What a project keeps. */
export async function usedBy(db: Database, projectId: string): Promise<{ answers: number; bytes: number }> {
  const { rows } = await sql<{ answers: string; bytes: string }>`
    select count(*) as answers, coalesce(sum(size_bytes), 0) as bytes from idempotent_answer
    where project_id = ${projectId}`.execute(db);
  return { answers: Number(rows[0]?.answers ?? 0), bytes: Number(rows[0]?.bytes ?? 0) };
}

/** Removes up to `limit` expired rows. Returns how many. */
export async function removeExpired(db: Database, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from idempotent_answer where ctid = any (array(
      select ctid from idempotent_answer where expires_at <= clock_timestamp() limit ${limit} for update skip locked))
  `.execute(db);
  return Number(numAffectedRows ?? 0);
}
