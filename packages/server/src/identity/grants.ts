/** @file Who may give what. Pure: nobody gives a scope, a role, a list of models or a time that they do not have themselves. */
import { AppError, type ProjectId, type Role, type Scope, scopesOf } from "@gristmill/contract";
import type { Caller } from "../http/index.ts";

/** @throws AppError `auth.forbidden` naming the scopes that the caller lacks. */
export function requireScopes(caller: Caller, wanted: Iterable<Scope>, sentence: string): void {
  const lacking = [...wanted].filter((scope) => !caller.scopes.has(scope));
  if (lacking.length === 0) return;
  throw new AppError("auth.forbidden", `${sentence}: ${lacking.join(", ")}.`, { details: { scopes: lacking } });
}

/** Where a role is held. */
export type Held = "organization" | "project";

/** @param projectId null: in the whole organization. */
export const heldIn = (projectId: ProjectId | null): Held => (projectId === null ? "organization" : "project");

/** True when the second role lacks anything that the first holds. */
export function isLess(from: Role, to: Role, held: Held): boolean {
  const left = new Set(scopesOf(to, held));
  return scopesOf(from, held).some((scope) => !left.has(scope));
}

/**
 * For giving a role, and for changing or ending one: an administrator neither makes an owner nor unmakes one.
 * @throws AppError `auth.forbidden`.
 */
export function requireRole(caller: Caller, role: Role, held: Held): void {
  requireScopes(caller, scopesOf(role, held), `The role ${role} holds scopes that you do not`);
}

/** @throws AppError `auth.forbidden` when the caller may use some models only and these are more. */
export function requireModels(caller: Caller, models: readonly string[] | null): void {
  const { models: own } = caller;
  if (own === null) return;
  const lacking = models?.filter((model) => !own.has(model));
  if (lacking?.length === 0) return;
  const what = lacking === undefined ? "all models" : lacking.join(", ");
  throw new AppError("auth.forbidden", `A key can't give the use of what it may not use: ${what}.`, {
    details: { models: lacking ?? null },
  });
}
