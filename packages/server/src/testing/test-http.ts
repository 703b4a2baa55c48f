/** @file Routes behind the real pipeline, for tests of a feature's HTTP face: each key is the name of its project. */
import { AppError, type ProjectId, type Scope } from "@gristmill/contract";
import { createHttp, type Http, type Route } from "../http/index.ts";
import { newId } from "../ids.ts";
import { testCaller } from "./caller.ts";

/** A key of these projects, with these scopes; by default all but `admin`. */
export interface TestKeys {
  readonly [key: string]: { readonly projectId: ProjectId; readonly scopes?: readonly Scope[] };
}

/** Listens nowhere: call it by `http.app.inject`, or `listen`. The caller stops it. */
export async function testHttp(routes: readonly Route[], keys: TestKeys): Promise<Http> {
  return await createHttp({
    routes,
    allowedHosts: [],
    now: () => new Date(),
    newId,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    authenticator: {
      authenticate: async ({ key }) => {
        if (key === undefined) throw new AppError("auth.missing", "This needs a key.");
        const found = keys[key];
        if (found === undefined) throw new AppError("auth.invalid", "unknown key");
        return testCaller(found.projectId, found.scopes === undefined ? {} : { scopes: found.scopes });
      },
    },
    // Features whose routes are charged test them with the ledger itself.
    ledger: {
      reserve: () => Promise.reject(new Error("these routes are free")),
      settle: () => Promise.reject(new Error("these routes are free")),
      release: () => Promise.reject(new Error("these routes are free")),
    },
  });
}
