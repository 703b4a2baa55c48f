/** @file A server of given routes with a known caller and a ledger that writes down what it was told, in order. */
import type { KeyId, ProjectId, Scope } from "@gristmill/contract";
import { AppError } from "@gristmill/contract";
import type { Log } from "../../feature.ts";
import { newId } from "../../ids.ts";
import { testCaller } from "../../testing/caller.ts";
import type { Authenticator } from "../authenticator.ts";
import type { Route } from "../route.ts";
import { createHttp, type Http } from "../server.ts";
import type { OpenReservation, RequestUsage, UsageLedger } from "../usage-ledger.ts";

/** The key that the harness knows. */
export const testKey = "the-key";

/** One thing that the ledger or the log was told. */
export interface Told {
  readonly what: string;
  readonly detail: unknown;
}

/** A running harness. */
export interface Harness {
  readonly http: Http;
  readonly told: Told[];
  /** What the ledger was told, without details. */
  ledgerCalls(): readonly string[];
  readonly logged: Told[];
}

/** Headers of a caller who has the key. */
export const withKey = { authorization: `Bearer ${testKey}` };

const admittedAt = new Date("2026-01-02T03:04:05Z");

/** Builds the server; the caller stops it by `http.stop`. */
export async function httpHarness(
  routes: readonly Route[],
  options: { scopes?: readonly Scope[]; failSettle?: boolean } = {},
): Promise<Harness> {
  const told: Told[] = [];
  const logged: Told[] = [];
  const note = (what: string) => (detail: unknown, message?: string) => {
    logged.push({ what, detail: { detail, message } });
  };
  const log: Log = { info: note("info"), warn: note("warn"), error: note("error") };
  const projectId = newId("project");
  const keyId = newId("key");
  const http = await createHttp({
    routes,
    authenticator: authenticator(projectId, keyId, options.scopes ?? ["inference"]),
    ledger: ledger(told, options.failSettle === true),
    allowedHosts: ["ai.example.com"],
    now: () => new Date("2026-01-02T03:04:06Z"),
    newId,
    log,
  });
  return { http, told, logged, ledgerCalls: () => told.map(({ what }) => what) };
}

function authenticator(projectId: ProjectId, keyId: KeyId, scopes: readonly Scope[]): Authenticator {
  return {
    authenticate: async ({ key }) => {
      if (key === undefined) throw new AppError("auth.missing", "This needs a key.");
      if (key !== testKey) throw new AppError("auth.invalid", "This key is not valid.");
      return testCaller(projectId, { keyId, scopes });
    },
  };
}

function ledger(told: Told[], failSettle: boolean): UsageLedger {
  return {
    reserve: async (request): Promise<OpenReservation> => {
      told.push({ what: "reserve", detail: request.estimates });
      return {
        requestId: request.requestId,
        projectId: request.projectId,
        keyId: request.keyId,
        admittedAt,
        limits: [],
      };
    },
    settle: async (_reservation, events: readonly RequestUsage[]) => {
      if (failSettle) throw new AppError("database.unavailable", "The database can't be reached at the moment.");
      told.push({ what: "settle", detail: events });
    },
    release: async () => {
      told.push({ what: "release", detail: undefined });
    },
  };
}
