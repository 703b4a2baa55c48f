/** @file Signed-in people for tests of other features: by rows where a test has the database, else by the real routes. */
import { randomBytes, randomUUID } from "node:crypto";
import type { OrganizationId, ProjectId, Role, UserId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../../db/index.ts";
import type { Http } from "../../http/index.ts";
import { newId } from "../../ids.ts";
import { testOrganizationId } from "../../testing/caller.ts";
import { csrfTokenOf, hashOfToken, makeToken } from "../session-token.ts";

/** A person with a session. */
export interface TestPerson {
  readonly userId: UserId;
  readonly email: string;
  /** Of every request; enough for changes too. */
  readonly headers: { readonly cookie: string; readonly "x-csrf-token": string };
}

/** A member with a session of an hour, by rows alone: a millisecond or two. They have no password. */
export async function insertTestPerson(
  db: Database,
  options: {
    readonly role: Role;
    /** Default: that of `insertTestProject`. */
    readonly organizationId?: OrganizationId;
    /** Default: the whole organization. */
    readonly projectId?: ProjectId;
    readonly email?: string;
  },
): Promise<TestPerson> {
  const {
    role,
    organizationId = testOrganizationId,
    projectId = null,
    email = `${randomUUID()}@example.com`,
  } = options;
  const userId = newId("user");
  const token = makeToken(randomBytes);
  await sql`insert into user_account (id, email, name) values (${userId}, ${email}, 'Test')`.execute(db);
  await sql`insert into membership (organization_id, project_id, user_id, role)
            values (${organizationId}, ${projectId}, ${userId}, ${role})`.execute(db);
  await sql`insert into session (id, user_id, token_sha256, address, user_agent, created_at, last_seen_at, expires_at)
            values (${newId("session")}, ${userId}, ${hashOfToken(token)}, '127.0.0.1', 'a test', now(), now(),
              now() + interval '1 hour')`.execute(db);
  return { userId, email, headers: headersOf(token) };
}

/**
 * A member with a session, by invitation and acceptance over the real routes: an argon2id hash, some 30 ms. Up to thirty at once
 * from one `address`; then they are throttled as everybody is.
 */
export async function signInTestPerson(
  { app }: Pick<Http, "app">,
  options: {
    readonly adminKey: string;
    readonly role: Role;
    /** Name or id; default: the organization `default`. */
    readonly organization?: string;
    /** Name or id; default: the whole organization. */
    readonly project?: string;
    readonly email?: string;
    readonly address?: string;
  },
): Promise<TestPerson> {
  const {
    adminKey,
    role,
    organization,
    project,
    email = `${randomUUID()}@example.com`,
    address = "127.0.0.1",
  } = options;
  const invited = await app.inject({
    method: "POST",
    url: "/api/invitations",
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(organization === undefined ? {} : { "gristmill-organization": organization }),
    },
    payload: { email, role, ...(project === undefined ? {} : { project }) },
  });
  if (invited.statusCode !== 201) throw new Error(`the invitation was refused: ${invited.body}`);
  const accepted = await app.inject({
    method: "POST",
    url: "/api/invitations/accept",
    remoteAddress: address,
    payload: { token: invited.json().token, name: "Test", password: "a password of a test" },
  });
  const token = accepted.cookies.find(({ name }) => name === "gristmill_session")?.value;
  if (token === undefined) throw new Error(`the invitation was not accepted: ${accepted.body}`);
  return { userId: accepted.json().user.id, email, headers: headersOf(token) };
}

const headersOf = (token: string): TestPerson["headers"] => ({
  cookie: `gristmill_session=${token}`,
  "x-csrf-token": csrfTokenOf(token),
});
