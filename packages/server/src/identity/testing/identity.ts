/** @file identity behind the real pipeline, on a test's database, with a clock that tests move. */
import { randomBytes } from "node:crypto";
import { AppError, type CreatedKey, type Role, type UserId } from "@gristmill/contract";
import { sql } from "kysely";
import { expect } from "vitest";
import type { Database } from "../../db/index.ts";
import type { Log } from "../../feature.ts";
import { createHttp, type Http, type UsageLedger } from "../../http/index.ts";
import { newId } from "../../ids.ts";
import { testDatabase } from "../../testing/database.ts";
import { createIdentity, type Identity } from "../index.ts";

/** The admin key of these tests. */
export const adminKey = "gm_admin_0123456789012345678901234567890123456789012";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const refuse = () => Promise.reject(new Error("identity charges nothing"));
const noLedger: UsageLedger = { reserve: refuse, settle: refuse, release: refuse };

/** How a call is made; by default with the admin key. */
export interface Call {
  readonly key?: string;
  /** Instead of a key: as if by this user's session. */
  readonly user?: UserId;
  readonly organization?: string;
  readonly project?: string;
  readonly body?: object;
}

/** An answer, its JSON, and the code of a failure. */
export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers as clients do, and expect() is what checks them
  readonly json: any;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A running identity. */
export interface TestIdentity {
  readonly db: Database;
  readonly identity: Identity;
  readonly http: Http;
  /** Moves the clock. */
  wait(ms: number): void;
  now(): Date;
  call(method: "GET" | "POST" | "PATCH" | "DELETE", url: string, call?: Call): Promise<Reply>;
  newKey(body?: object, call?: Call): Promise<CreatedKey>;
  newUser(email: string): Promise<UserId>;
  /** A user who was made a member of an organization (by name; default `default`) or of one project (by id). */
  newMember(email: string, role: Role, where?: { organization?: string; projectId?: string }): Promise<UserId>;
  close(): Promise<void>;
}

/** Close it in `afterEach`. */
export async function testIdentity(): Promise<TestIdentity> {
  const database = await testDatabase();
  const { db } = database;
  let clockMs = Date.now();
  const now = () => new Date(clockMs);
  const identity = createIdentity({ ground: { now, newId, log: silent }, db, random: randomBytes, adminKey });
  await identity.start();
  const { authenticator, memberships } = identity;
  const http = await createHttp({
    routes: identity.routes,
    authenticator: {
      authenticate: async (credentials) => {
        const user = credentials.cookie as UserId | undefined;
        if (credentials.key !== undefined || user === undefined) return await authenticator.authenticate(credentials);
        if (credentials.csrfToken !== "test") throw new AppError("auth.csrf", "tests send it");
        const { organization, project } = credentials;
        return await memberships.callerOf(user, { organization, project });
      },
    },
    ledger: noLedger,
    allowedHosts: [],
    now,
    newId,
    log: silent,
  });
  const call: TestIdentity["call"] = async (
    method,
    url,
    { key = adminKey, user, organization, project, body } = {},
  ) => {
    const answer = await http.app.inject({
      method,
      url,
      headers: {
        ...(user === undefined ? { authorization: `Bearer ${key}` } : { cookie: user, "x-csrf-token": "test" }),
        ...(organization === undefined ? {} : { "gristmill-organization": organization }),
        ...(project === undefined ? {} : { "gristmill-project": project }),
      },
      ...(body === undefined ? {} : { payload: body }),
    });
    const json = answer.json();
    return { status: answer.statusCode, json, code: json.error?.code, headers: answer.headers };
  };
  const newUser = async (email: string): Promise<UserId> => {
    const id = newId("user");
    await sql`insert into user_account (id, email, name) values (${id}, ${email}, ${email.split("@")[0]})`.execute(db);
    return id;
  };
  return {
    db,
    identity,
    http,
    wait: (ms) => {
      clockMs += ms;
    },
    now,
    call,
    newKey: async (body = {}, more = {}) => {
      const { status, json } = await call("POST", "/api/keys", { ...more, body: { name: "k", ...body } });
      expect(json).toMatchObject({ object: "key" });
      expect(status).toBe(201);
      return json;
    },
    newUser,
    newMember: async (email, role, { organization = "default", projectId } = {}) => {
      const id = await newUser(email);
      await sql`insert into membership (organization_id, project_id, user_id, role)
        select id, ${projectId ?? null}, ${id}, ${role} from organization where name = ${organization}`.execute(db);
      return id;
    },
    close: async () => {
      await http.stop(0);
      await identity.stop();
      await database.close();
    },
  };
}
