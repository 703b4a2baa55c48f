/** @file What the pipeline needs of whoever knows keys and projects. */
import type { Caller, Route } from "./route.ts";

/** What a request presents. */
export interface Credentials {
  /** The key of `Authorization: Bearer <key>`. */
  readonly key: string;
  /** The header `gristmill-project`: a name or an id. */
  readonly project: string | undefined;
}

/** Tells who calls. */
export interface Authenticator {
  /**
   * @throws AppError `auth.invalid` for a key that is unknown, revoked or expired; `project.not_found` for a project that
   *   does not exist or that the key may not know of.
   */
  authenticate(credentials: Credentials): Promise<Caller>;
}

/** Decides whether a caller may start one more request now. */
export interface Limiter {
  admit(caller: Caller, route: Route): Promise<void>;
}

/** No limits are sold yet; the step exists so that none can be forgotten when they are. */
export const unlimited: Limiter = { admit: async () => {} };
