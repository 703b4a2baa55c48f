/** @file Callers for tests. */
import { type KeyId, type OrganizationId, type ProjectId, type Scope, scopes } from "@gristmill/contract";
import type { Caller } from "../http/index.ts";

/** The organization of test projects (see `insertTestProject`). */
export const testOrganizationId: OrganizationId = "org_default";

/** A key's caller; by default with all scopes but `admin`, and no row. */
export function testCaller(
  projectId: ProjectId,
  more: { readonly scopes?: readonly Scope[]; readonly keyId?: KeyId } = {},
): Caller {
  return {
    kind: "key",
    organizationId: testOrganizationId,
    projectId,
    keyId: more.keyId ?? null,
    userId: null,
    scopes: new Set(more.scopes ?? scopes.filter((scope) => scope !== "admin")),
    models: null,
  };
}
