/** @file What of a person, a session and a provider is shown. */
import type { IdentityProvider, Session, SignInProvider, User, UserMembership } from "@gristmill/contract";
import type { Memberships } from "../identity/index.ts";
import type { ProviderRow } from "./provider-store.ts";
import { redirectUriOf } from "./single-sign-on.ts";
import type { SessionRow, UserRow } from "./store.ts";
import type { Visit } from "./visit.ts";

/** One's own account, as `/api/user` tells it. */
export const userToWire = (row: UserRow): User => ({
  id: row.id,
  object: "user",
  email: row.email,
  name: row.name,
  has_password: row.password !== null,
  created_at: row.created_at.toISOString(),
});

/** A session, as its person sees it; `currentId` is that of the session that asks. */
export const sessionToWire = (row: SessionRow, currentId: string | undefined): Session => ({
  id: row.id,
  object: "session",
  current: row.id === currentId,
  address: row.address,
  user_agent: row.user_agent,
  created_at: row.created_at.toISOString(),
  last_seen_at: row.last_seen_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
});

type Membership = Awaited<ReturnType<Memberships["membershipsOf"]>>[number];

/** Where a person is a member. */
export const membershipToWire = (membership: Membership): UserMembership => ({
  organization_id: membership.organizationId,
  organization: membership.organization,
  project_id: membership.projectId,
  project: membership.project,
  role: membership.role,
});

/** What everyone may see. */
export const signInProviderToWire = ({ id, name }: ProviderRow): SignInProvider => ({
  id,
  object: "identity_provider",
  name,
});

/** An identity provider, as the operator sees it: without its secret. */
export const providerToWire = (row: ProviderRow, visit: Visit): IdentityProvider => ({
  ...signInProviderToWire(row),
  organization_id: row.organization_id,
  issuer: row.issuer,
  client_id: row.client_id,
  allowed_domains: row.allowed_domains,
  default_role: row.default_role,
  created_at: row.created_at.toISOString(),
  redirect_uri: redirectUriOf(visit, row.id),
});
