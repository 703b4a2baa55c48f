/** @file sign-in with the real identity and audit log behind the real pipeline, on a test's database, with a clock that tests move. */
import { randomBytes } from "node:crypto";
import type { CurrentSession, Role } from "@gristmill/contract";
import { type Audit, createAudit } from "../../audit/index.ts";
import type { Database } from "../../db/index.ts";
import type { Log } from "../../feature.ts";
import { createHttp, type Http, type UsageLedger } from "../../http/index.ts";
import { createIdentity } from "../../identity/index.ts";
import { newId } from "../../ids.ts";
import { createGuardedFetch, type GuardedFetch } from "../../net/index.ts";
import { createSecretBox } from "../../secrets/index.ts";
import { testDatabase } from "../../testing/database.ts";
import { createSignIn } from "../index.ts";
import { Passwords } from "../passwords.ts";
import { Browser } from "./browser.ts";

/** The admin key of these tests. */
export const adminKey = "gm_admin_0123456789012345678901234567890123456789012";

/** A password that is long enough. */
export const goodPassword = "correct horse battery staple";

/** Most tests are about something else. */
const cheap = { memory: 64, passes: 1, parallelism: 1 };

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const refuse = () => Promise.reject(new Error("sign-in charges nothing"));
const noLedger: UsageLedger = { reserve: refuse, settle: refuse, release: refuse };

/** A running sign-in. */
export interface TestPlatform {
  readonly db: Database;
  readonly http: Http;
  readonly audit: Audit;
  now(): Date;
  /** Moves the clock. */
  wait(ms: number): void;
  /** A browser that has never been here. */
  browser(address?: string): Browser;
  /** The token of an invitation to the organization `default`. */
  invite(email: string, role?: Role): Promise<string>;
  /** A browser whose person has an account, a membership and a session. */
  person(email: string, role?: Role): Promise<{ readonly browser: Browser; readonly session: CurrentSession }>;
  close(): Promise<void>;
}

/** Close it in `afterEach`. */
export async function testPlatform(
  options: { readonly publicUrl?: string; readonly fetch?: GuardedFetch; readonly passwords?: Passwords } = {},
): Promise<TestPlatform> {
  const {
    publicUrl,
    passwords = new Passwords(randomBytes, { cost: cheap }),
    fetch = createGuardedFetch({ allowedAddresses: ["127.0.0.0/8"] }),
  } = options;
  const database = await testDatabase();
  const { db } = database;
  let clockMs = Date.now();
  const now = () => new Date(clockMs);
  const ground = { now, newId, log: silent };
  const identity = createIdentity({ ground, db, random: randomBytes, adminKey });
  const audit = createAudit({ ground, db, instance: () => null });
  const secrets = createSecretBox("the secret key of these tests, any text");
  const { memberships } = identity;
  const parts = { secrets, fetch, memberships, audit, publicUrl, passwords };
  const signIn = createSignIn({ ground, db, random: randomBytes, ...parts });
  for (const feature of [identity, audit, signIn]) await feature.start?.();
  const http = await createHttp({
    routes: [...identity.routes, ...audit.routes, ...signIn.routes],
    authenticator: {
      authenticate: (credentials) =>
        (credentials.key === undefined ? signIn.sessions : identity.authenticator).authenticate(credentials),
    },
    auditTrail: audit.trail,
    denials: audit.denials,
    ledger: noLedger,
    allowedHosts: ["ai.example.com"],
    ...ground,
  });
  const browser = (address = "203.0.113.1") => new Browser({ http, address, ...(publicUrl && { server: publicUrl }) });
  const invite = async (email: string, role: Role = "developer"): Promise<string> => {
    const { json } = await browser().call("POST", "/api/invitations", { key: adminKey, body: { email, role } });
    return json.token;
  };
  return {
    db,
    http,
    audit,
    now,
    wait: (ms) => {
      clockMs += ms;
    },
    browser,
    invite,
    person: async (email, role) => {
      const own = browser();
      const body = { token: await invite(email, role), name: email.split("@")[0], password: goodPassword };
      const { json } = await own.call("POST", "/api/invitations/accept", { body });
      return { browser: own, session: json };
    },
    close: async () => {
      await http.stop(0);
      for (const feature of [signIn, audit, identity]) await feature.stop?.();
      await database.close();
    },
  };
}
