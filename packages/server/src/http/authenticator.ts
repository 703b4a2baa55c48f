/** @file What the pipeline needs of whoever knows keys, sessions and projects. */
import type { Caller } from "./route.ts";

/** What a request presents. Header values are as they came; undefined: not sent. */
export interface Credentials {
  /** The key of `Authorization: Bearer <key>`. */
  readonly key: string | undefined;
  /** The header `cookie`; looked at only when there is no key. */
  readonly cookie: string | undefined;
  /** The header `x-csrf-token`: needed with a cookie, for all but GET. */
  readonly csrfToken: string | undefined;
  /** The header `origin`. */
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly method: string;
  /** The header `gristmill-project` (or OpenAI's `openai-project`): a name or an id. */
  readonly project: string | undefined;
  /** The header `gristmill-organization` (or `openai-organization`): a name or an id. */
  readonly organization: string | undefined;
}

/** Tells who calls. */
export interface Authenticator {
  /**
   * @throws AppError `auth.missing` when nothing is presented; `auth.invalid` for a key or session that is unknown, revoked or
   *   expired; `auth.csrf` for a session's change without its token; `project.not_found` for a project or organization
   *   that does not exist or that the caller may not know of.
   */
  authenticate(credentials: Credentials): Promise<Caller>;
}
