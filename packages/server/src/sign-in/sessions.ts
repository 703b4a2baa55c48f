/** @file Sessions: who a browser's cookie stands for. */
import { AppError, type ListQuery, type UserId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import type { Authenticator, Caller, Credentials } from "../http/index.ts";
import type { Memberships, RandomBytes } from "../identity/index.ts";
import type { NewId } from "../ids.ts";
import { readCookie } from "./cookies.ts";
import { isOurOrigin } from "./origin.ts";
import { csrfTokenOf, hashOfToken, isSameText, makeToken } from "./session-token.ts";
import { type SessionRow, SignInStore } from "./store.ts";
import type { Visit } from "./visit.ts";

/** A session ends when it was not used for so long. */
const idleMs = 12 * 3_600_000;
/** And so long after it began, however much it is used. */
const absoluteMs = 7 * 86_400_000;
/** `last_seen_at` is exact to this. */
const touchMs = 60_000;
/** Of one person; the oldest end. */
const sessionsMost = 50;

/** What sessions need. */
export interface SessionParts {
  readonly db: Database;
  readonly memberships: Pick<Memberships, "callerOf">;
  readonly publicUrl: string | undefined;
  readonly now: () => Date;
  readonly newId: NewId;
  readonly random: RandomBytes;
  readonly log: Log;
}

/** A session and the token that only its browser has. */
export interface BegunSession {
  readonly row: SessionRow;
  readonly token: string;
}

/** Begins, finds and ends sessions. */
export class Sessions implements Authenticator {
  readonly #parts: SessionParts;
  readonly #store: SignInStore;
  readonly #touching = new Set<Promise<void>>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#store = new SignInStore(parts.db);
  }

  async authenticate(credentials: Credentials): Promise<Caller> {
    const token = readCookie(credentials.cookie, "gristmill_session");
    if (token === undefined) throw new AppError("auth.missing", "This needs a key, or a session.");
    const session = await this.find(token);
    if (session === undefined) throw new AppError("auth.invalid", "This session has ended: sign in again.");
    if (credentials.method !== "GET") this.requireOwnChange(credentials, token);
    const { organization, project } = credentials;
    return await this.#parts.memberships.callerOf(session.user_id, { organization, project });
  }

  /** @throws AppError `auth.csrf` when a request that changes something may come from a page of another site. */
  requireOwnChange(
    { origin, host, csrfToken }: Pick<Credentials, "origin" | "host" | "csrfToken">,
    token: string,
  ): void {
    if (origin !== undefined && !isOurOrigin(origin, host, this.#parts.publicUrl))
      throw new AppError("auth.csrf", "This request comes from a page of another site.");
    if (csrfToken === undefined || !isSameText(csrfToken, csrfTokenOf(token)))
      throw new AppError("auth.csrf", "A session's change needs its token in the header x-csrf-token.");
  }

  /** undefined: unknown, ended or expired. */
  async find(token: string): Promise<SessionRow | undefined> {
    const row = await this.#store.findSession(hashOfToken(token));
    if (row === undefined) return undefined;
    const now = this.#parts.now().getTime();
    if (row.expires_at.getTime() <= now || row.last_seen_at.getTime() + idleMs <= now) return undefined;
    if (now - row.last_seen_at.getTime() >= touchMs) this.#touch(row, new Date(now));
    return row;
  }

  /** Always a new token: whatever cookie the browser came with is ended, and never taken over. */
  async begin(userId: UserId, visit: Visit): Promise<BegunSession> {
    const { now, newId, random } = this.#parts;
    const token = makeToken(random);
    const at = now();
    if (visit.sessionToken !== undefined) await this.#store.deleteSessionByToken(hashOfToken(visit.sessionToken));
    const row: SessionRow = {
      id: newId("session"),
      user_id: userId,
      token_sha256: hashOfToken(token),
      address: visit.address,
      user_agent: visit.userAgent,
      created_at: at,
      last_seen_at: at,
      expires_at: new Date(at.getTime() + absoluteMs),
    };
    await this.#store.insertSession(row);
    await this.#store.deleteOldSessions(userId, sessionsMost);
    return { row, token };
  }

  async list(userId: UserId, query: ListQuery): Promise<SessionRow[]> {
    return await this.#store.listSessions(userId, query, this.#limits());
  }

  /** Refused from now on. @throws AppError `session.not_found` for one that is not the user's. */
  async end(userId: UserId, id: string): Promise<void> {
    if (await this.#store.deleteSession(userId, id)) return;
    throw new AppError("session.not_found", `You have no session "${id}".`);
  }

  /** Deletes what has expired. */
  async sweep(): Promise<void> {
    await this.#store.deleteExpiredSessions(this.#limits());
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.#touching);
  }

  #limits(): { readonly now: Date; readonly idleSince: Date } {
    const now = this.#parts.now();
    return { now, idleSince: new Date(now.getTime() - idleMs) };
  }

  /** Beside the request, which must not fail for it. */
  #touch({ id }: SessionRow, at: Date): void {
    const { log } = this.#parts;
    const write = this.#store
      .touchSession(id, at)
      .catch((err) => log.warn({ err, session_id: id }, "A session's last use was not written."))
      .finally(() => this.#touching.delete(write));
    this.#touching.add(write);
  }
}
