/** @file What the routes of sign-in share: who is at the desk, and the answer that lets a person in. */
import { AppError, type CurrentSession, type UserId } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import type { Answer, Caller } from "../http/index.ts";
import type { Memberships } from "../identity/index.ts";
import type { Accounts, SignedIn } from "./accounts.ts";
import { setCookie } from "./cookies.ts";
import type { Devices } from "./devices.ts";
import { csrfTokenOf } from "./session-token.ts";
import type { BegunSession, Sessions } from "./sessions.ts";
import { type Visit, visitOf } from "./visit.ts";
import { membershipToWire, sessionToWire, userToWire } from "./wire.ts";

/** What the desk needs. */
export interface DeskParts {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly memberships: Pick<Memberships, "membershipsOf">;
  readonly publicUrl: string | undefined;
}

/** Answers that hold secrets stay in no cache. */
export const unstored = { "cache-control": "no-store" } as const;

/** Between the routes and the services. */
export class Desk {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  visit(request: FastifyRequest): Visit {
    return visitOf(request, this.#parts.publicUrl);
  }

  /** The person who calls, and by which session. @throws AppError `auth.forbidden` for keys, `auth.invalid`. */
  async person(
    caller: Caller,
    request: FastifyRequest,
  ): Promise<{ readonly userId: UserId; readonly visit: Visit; readonly session: BegunSession }> {
    const visit = this.visit(request);
    if (caller.userId === null || visit.sessionToken === undefined)
      throw new AppError("auth.forbidden", "This is for people who have signed in; a key is nobody's.");
    const row = await this.#parts.sessions.find(visit.sessionToken);
    // Ended since the request was let in.
    if (row === undefined) throw new AppError("auth.invalid", "This session has ended: sign in again.");
    return { userId: caller.userId, visit, session: { row, token: visit.sessionToken } };
  }

  /** A session with what a page needs to go on. */
  async show({ row, token }: BegunSession): Promise<CurrentSession> {
    const { accounts, memberships } = this.#parts;
    return {
      ...sessionToWire(row, row.id),
      csrf_token: csrfTokenOf(token),
      user: userToWire(await accounts.get(row.user_id)),
      memberships: (await memberships.membershipsOf(row.user_id)).map(membershipToWire),
    };
  }

  /** 201, the session, and its cookie. */
  async letIn({ user, session }: SignedIn, visit: Visit): Promise<Answer> {
    const { devices } = this.#parts;
    const isKnown = devices.read(visit.device, user.id) !== undefined;
    return {
      status: 201,
      headers: unstored,
      cookies: [
        setCookie("gristmill_session", session.token, visit),
        ...(isKnown ? [] : [setCookie("gristmill_device", devices.make(user.id), visit)]),
      ],
      body: await this.show(session),
    };
  }
}
