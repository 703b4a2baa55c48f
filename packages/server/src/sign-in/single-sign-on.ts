/** @file Signing in by a provider: out with a challenge that only this browser can answer, back as a person. */
import { createHash } from "node:crypto";
import { AppError } from "@gristmill/contract";
import { z } from "zod";
import type { SecretBox } from "../secrets/index.ts";
import type { AttemptStore } from "./attempt-store.ts";
import type { Attempts } from "./attempts.ts";
import { flowSeconds } from "./cookies.ts";
import type { Journal } from "./journal.ts";
import type { OpenId } from "./open-id.ts";
import type { Providers } from "./providers.ts";
import type { Provisioning } from "./provisioning.ts";
import { isSameText } from "./session-token.ts";
import type { BegunSession, Sessions } from "./sessions.ts";
import type { Visit } from "./visit.ts";

const context = "sign-in by a provider";

/** What the browser keeps, sealed, until it comes back. */
const flowSchema = z.strictObject({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  /** A path of ours. */
  returnTo: z.string(),
  invitation: z.string().optional(),
  /** Milliseconds. */
  expiresAt: z.number(),
});
type Flow = z.infer<typeof flowSchema>;

/** What single sign-on needs. */
export interface SingleSignOnParts {
  readonly providers: Providers;
  readonly openId: OpenId;
  readonly provisioning: Provisioning;
  readonly sessions: Sessions;
  readonly attempts: Attempts;
  readonly states: AttemptStore;
  readonly secrets: SecretBox;
  readonly journal: Journal;
  readonly now: () => Date;
}

/** The two halves of a sign-in by a provider. */
export class SingleSignOn {
  readonly #parts: SingleSignOnParts;

  constructor(parts: SingleSignOnParts) {
    this.#parts = parts;
  }

  /**
   * @param returnTo a path of ours.
   * @returns where the browser goes, and what it keeps.
   * @throws AppError `identity_provider.not_found`, `identity_provider.unavailable`, `auth.too_many_attempts`.
   */
  async start(
    providerId: string,
    { returnTo, invitation }: { readonly returnTo: string; readonly invitation: string | undefined },
    visit: Visit,
  ): Promise<{ readonly url: string; readonly flow: string }> {
    const { providers, openId, attempts, secrets, now } = this.#parts;
    await attempts.visit(visit.address);
    const provider = await providers.get(providerId);
    const { url, challenge } = await openId.start(providers.clientOf(provider), redirectUriOf(visit, provider.id));
    const expiresAt = now().getTime() + flowSeconds * 1000;
    const flow: Flow = {
      provider: provider.id,
      ...challenge,
      returnTo,
      expiresAt,
      ...(invitation === undefined ? {} : { invitation }),
    };
    return { url: url.href, flow: secrets.seal(Buffer.from(JSON.stringify(flow)), context).toString("base64url") };
  }

  /**
   * @param answer the query with which the browser came back.
   * @throws AppError `auth.single_sign_on_failed` for an answer that this browser did not ask for, that is late, or that was taken
   *   before; `auth.not_invited`; `identity_provider.unavailable`; `auth.too_many_attempts`.
   */
  async finish(
    providerId: string,
    answer: URLSearchParams,
    visit: Visit,
  ): Promise<{ readonly session: BegunSession; readonly returnTo: string }> {
    const { providers, openId, provisioning, sessions, attempts, states, journal } = this.#parts;
    const flow = this.#open(visit.flow);
    const state = answer.get("state");
    if (flow === undefined || flow.provider !== providerId || state === null || !isSameText(state, flow.state))
      throw new AppError("auth.single_sign_on_failed", "This browser has not asked for this sign-in.");
    await attempts.visit(visit.address);
    // Kept until the cookie itself is too old: no answer is taken twice, and what is kept is bounded.
    if (!(await states.useState(createHash("sha256").update(state).digest(), new Date(flow.expiresAt))))
      throw new AppError("auth.single_sign_on_failed", "This sign-in was answered before.");
    const provider = await providers.get(providerId);
    const claims = await openId.finish(providers.clientOf(provider), answer, flow);
    const userId = await provisioning.userOf({ provider, claims, invitation: flow.invitation, visit });
    const session = await sessions.begin(userId, visit);
    await journal.tell(visit, { of: userId, action: "login.succeeded", targetId: session.row.id });
    return { session, returnTo: flow.returnTo };
  }

  /** undefined: none, made up, or too old. */
  #open(cookie: string | undefined): Flow | undefined {
    if (cookie === undefined || cookie.length > 4096) return undefined;
    try {
      const text = this.#parts.secrets.open(Buffer.from(cookie, "base64url"), context).toString();
      const flow = flowSchema.parse(JSON.parse(text));
      return flow.expiresAt > this.#parts.now().getTime() ? flow : undefined;
    } catch {
      return undefined;
    }
  }
}

/** What is registered at the provider. */
export const redirectUriOf = (visit: Pick<Visit, "server">, providerId: string): string =>
  `${visit.server}/api/sign-in/${providerId}/callback`;
