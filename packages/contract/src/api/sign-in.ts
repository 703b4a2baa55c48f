/** @file People: signing in, their sessions, their own account, invitations accepted, single sign-on. */
import { z } from "zod";
import { roleNames } from "../scopes.ts";
import { timestamp } from "./common.ts";

/** An e-mail address, in lower case: two that differ by case only are one person's. */
export const emailAddress = z
  .string()
  .trim()
  .max(254)
  .toLowerCase()
  .pipe(z.email("expected an e-mail address such as ada@example.com"));

/** A person's name, as others see it. */
export const personName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, "expected a name without control characters");

/** What is typed to get in: only its length is looked at here. */
const typedPassword = z.string().min(1).max(256);

/** A password to be set: length is what makes it hard to guess (NIST SP 800-63B). */
export const newPassword = z
  .string()
  .min(12, "expected 12 characters or more")
  .max(256, "expected 256 characters at most");

export const user = z.object({
  id: z.string(),
  object: z.literal("user"),
  email: z.string(),
  name: z.string(),
  /** False: signs in by a provider only. */
  has_password: z.boolean(),
  created_at: timestamp,
});
export type User = z.infer<typeof user>;

/** Where a person is a member. */
export const userMembership = z.object({
  organization_id: z.string(),
  organization: z.string(),
  /** null: of the whole organization. */
  project_id: z.string().nullable(),
  project: z.string().nullable(),
  role: z.enum(roleNames),
});
export type UserMembership = z.infer<typeof userMembership>;

export const session = z.object({
  id: z.string(),
  object: z.literal("session"),
  /** The one that asks. */
  current: z.boolean(),
  address: z.string(),
  user_agent: z.string(),
  created_at: timestamp,
  last_seen_at: timestamp,
  /** However much it is used. */
  expires_at: timestamp,
});
export type Session = z.infer<typeof session>;

/** One's own session. */
export const currentSession = session.extend({
  /** Send it as the header `x-csrf-token` with every request that is no GET. */
  csrf_token: z.string(),
  user,
  memberships: z.array(userMembership),
});
export type CurrentSession = z.infer<typeof currentSession>;

export const createSession = z.strictObject({ email: emailAddress, password: typedPassword });
export type CreateSession = z.infer<typeof createSession>;

export const updateUser = z.strictObject({
  name: personName.optional(),
  password: z.strictObject({ current: typedPassword, new: newPassword }).optional(),
});
export type UpdateUser = z.infer<typeof updateUser>;

/** Name and password make the account of the invited address; who has one signs in first and sends the token alone. */
export const acceptInvitation = z.strictObject({
  token: z.string().min(1).max(256),
  name: personName.optional(),
  password: newPassword.optional(),
});
export type AcceptInvitation = z.infer<typeof acceptInvitation>;

/** What everyone may see, to choose from. */
export const signInProvider = z.object({
  id: z.string(),
  object: z.literal("identity_provider"),
  name: z.string(),
});
export type SignInProvider = z.infer<typeof signInProvider>;

/** A provider without its secret. */
export const identityProvider = signInProvider.extend({
  organization_id: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  allowed_domains: z.array(z.string()),
  default_role: z.enum(roleNames).nullable(),
  created_at: timestamp,
  /** To be registered at the provider. */
  redirect_uri: z.string(),
});
export type IdentityProvider = z.infer<typeof identityProvider>;

export const createIdentityProvider = z.strictObject({
  name: personName,
  /** OpenID Connect: its metadata are at `<issuer>/.well-known/openid-configuration`. */
  issuer: z.url({ protocol: /^https?$/, error: "expected the issuer's URL" }).max(512),
  client_id: z.string().min(1).max(256),
  client_secret: z.string().min(1).max(1024),
  /** Domains of e-mail addresses that the provider vouches for; those of other domains are refused. */
  allowed_domains: z
    .array(
      z
        .string()
        .toLowerCase()
        .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "expected a domain such as example.com"),
    )
    .min(1)
    .max(100),
  /** The role of people who come for the first time, in the organization that is acted in; null: they must be invited. */
  default_role: z.enum(roleNames).exclude(["owner"]).nullable().default(null),
});
export type CreateIdentityProvider = z.infer<typeof createIdentityProvider>;
