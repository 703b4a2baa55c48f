/** @file What a key may do. One list; a route names the one scope that it needs. */

/** Every scope. `admin` includes all others and is held by the admin key alone. */
export const scopes = [
  "admin",
  "datasets:read",
  "datasets:write",
  "runs:read",
  "runs:write",
  "models:read",
  "models:write",
  "deployments:read",
  "deployments:write",
  "inference",
  "usage:read",
  "keys:write",
  "metrics:read",
] as const;

/** One permission. */
export type Scope = (typeof scopes)[number];

/** What a project key holds unless its creator says otherwise: all but `admin`, `keys:write` and `metrics:read`. */
export const defaultScopes: readonly Scope[] = scopes.filter(
  (scope) => scope !== "admin" && scope !== "keys:write" && scope !== "metrics:read",
);
