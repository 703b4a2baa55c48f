/** @file What a caller may do: scopes, and the roles that hold them. A route names the one scope that it needs. */

/**
 * Every scope and its reach: `project` scopes act in one project; `organization` scopes act on all of an organization, so
 * a role that is held in one project only never gives them. `admin` is the operator's: it includes all others and is
 * held by the admin key alone.
 */
const reaches = {
  admin: "platform",
  "organization:read": "organization",
  "organization:write": "organization",
  "organization:usage": "organization",
  "members:write": "organization",
  "projects:write": "organization",
  "limits:write": "organization",
  "budgets:write": "organization",
  "webhooks:write": "organization",
  "audit:read": "organization",
  "datasets:read": "project",
  "datasets:write": "project",
  "runs:read": "project",
  "runs:write": "project",
  "models:read": "project",
  "models:write": "project",
  "deployments:read": "project",
  "deployments:write": "project",
  inference: "project",
  "usage:read": "project",
  "events:write": "project",
  "meters:write": "project",
  "ledger:write": "project",
  "limits:read": "project",
  "budgets:read": "project",
  "keys:read": "project",
  "keys:write": "project",
  "metrics:read": "project",
} as const satisfies Record<string, "platform" | "organization" | "project">;

/** One permission. */
export type Scope = keyof typeof reaches;

/** Every scope. */
export const scopes = Object.keys(reaches) as [Scope, ...Scope[]];

/** How far a scope reaches. */
export const reachOf = (scope: Scope): "platform" | "organization" | "project" => reaches[scope];

/** What a project key holds unless its creator says otherwise: the work of a project, and nothing of its government. */
export const defaultScopes: readonly Scope[] = [
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
  "events:write",
  "limits:read",
  "budgets:read",
];

const reading = ["organization:read", "datasets:read", "runs:read", "models:read", "deployments:read"] as const;
const looking = [...reading, "usage:read", "organization:usage", "limits:read", "budgets:read", "keys:read"] as const;
const working = ["datasets:write", "runs:write", "models:write", "deployments:write", "inference"] as const;
const metering = ["events:write", "meters:write", "keys:write", "metrics:read"] as const;
const money = ["budgets:write", "limits:write", "webhooks:write", "ledger:write", "audit:read"] as const;
const governing = ["members:write", "projects:write"] as const;

/** The permission table: what each role holds, in an organization or (project scopes only) in one project. */
export const roles = {
  owner: [...looking, ...working, ...metering, ...money, ...governing, "organization:write"],
  admin: [...looking, ...working, ...metering, ...money, ...governing],
  developer: [...looking, ...working, ...metering],
  billing: ["organization:read", "usage:read", "organization:usage", "limits:read", "budgets:read", ...money],
  viewer: looking,
} as const satisfies Record<string, readonly Scope[]>;

/** A role of a member or of a service account. */
export type Role = keyof typeof roles;

/** Every role. */
export const roleNames = Object.keys(roles) as [Role, ...Role[]];

/** The scopes of a role where it is held: in one project, those that reach further are left out. */
export function scopesOf(role: Role, held: "organization" | "project"): readonly Scope[] {
  const all: readonly Scope[] = roles[role];
  return held === "organization" ? all : all.filter((scope) => reachOf(scope) === "project");
}
