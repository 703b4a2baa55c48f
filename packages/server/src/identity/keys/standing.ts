/** @file What a key may do now. Pure: its own scopes, as far as the role of its owner goes. */
import { type Role, type Scope, scopesOf } from "@gristmill/contract";
import type { KeyInContext } from "./store.ts";

/** The scopes that count; undefined: the key is refused, because its owner has gone or acts elsewhere. */
export function standingScopes(key: KeyInContext): ReadonlySet<Scope> | undefined {
  const bound = ownerScopes(key);
  if (bound === "everything") return new Set(key.scopes);
  if (bound === undefined) return undefined;
  return new Set(key.scopes.filter((scope) => bound.has(scope)));
}

function ownerScopes(key: KeyInContext): ReadonlySet<Scope> | "everything" | undefined {
  if (key.service_account_id !== null) return accountScopes(key);
  if (key.user_id === null) return "everything";
  const { user_organization_role: wide, user_project_role: narrow } = key;
  if (wide === null && narrow === null) return undefined;
  return memberScopes(wide, narrow);
}

function accountScopes(key: KeyInContext): ReadonlySet<Scope> | undefined {
  const { account_role: role, account_project_id: project } = key;
  if (role === null || key.is_account_closed !== false) return undefined;
  if (project === null) return memberScopes(role, null);
  return project === key.project_id ? memberScopes(null, role) : undefined;
}

/** The scopes in one project of who has these roles in its organization and in the project itself. */
export function memberScopes(inOrganization: Role | null, inProject: Role | null): ReadonlySet<Scope> {
  return new Set([
    ...(inOrganization === null ? [] : scopesOf(inOrganization, "organization")),
    ...(inProject === null ? [] : scopesOf(inProject, "project")),
  ]);
}
