/** @file The price book, the ledger that rates by it, and their routes, on a database of the test's own. */
import type { KeyId, ProjectId, Scope } from "@gristmill/contract";
import type { Http } from "../../http/index.ts";
import { changeRules, createMetering, type Ledger, type UsageRecord } from "../../metering/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../../testing/database.ts";
import { testHttp } from "../../testing/test-http.ts";
import { type Billing, createBilling } from "../index.ts";
import { insertPrice } from "../store.ts";
import type { PriceTerms } from "../tariff.ts";

/** An answer of the API. */
export interface Told<T> {
  readonly status: number;
  readonly body: T & { readonly error: { readonly code: string; readonly details: Record<string, unknown> } };
}

/** A running world; `close` ends it. */
export interface BillingWorld {
  readonly database: TestDatabase;
  readonly billing: Billing;
  readonly ledger: Ledger;
  readonly keys: Record<string, { projectId: ProjectId; scopes?: readonly Scope[] }>;
  /** Calls as a key: GET, or POST when there is a body. */
  call<T>(key: string, url: string, body?: object): Promise<Told<T>>;
  /** A project of the organization `default`, and a key of its name. */
  project(name: string): Promise<ProjectId>;
  /** A price as it lies in the book for long: the API writes only the future. */
  pastPrice(id: string, meter: string, terms: PriceTerms, from?: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a world; prices of tests are for meters of their own, so that none changes another's. */
export async function openBilling(): Promise<BillingWorld> {
  const database = await testDatabase();
  const { db } = database;
  const billing = createBilling({ db });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const metering = createMetering({ db, now: () => new Date(), log, policy: { prices: billing.prices, rules: [] } });
  const keys: BillingWorld["keys"] = {};
  const http: Http = await testHttp([...billing.routes, ...metering.routes], keys);
  return {
    database,
    billing,
    ledger: metering.ledger,
    keys,
    async call(key, url, body) {
      const headers = { authorization: `Bearer ${key}` };
      const answer = await http.app.inject({
        method: body === undefined ? "GET" : "POST",
        url,
        headers,
        ...(body === undefined ? {} : { payload: body }),
      });
      return { status: answer.statusCode, body: answer.json() };
    },
    async project(name) {
      const projectId = await insertTestProject(db, name);
      keys[name] = { projectId };
      return projectId;
    },
    async pastPrice(id, meter, { charge, ...terms }, from = "2020-01-01T00:00:00Z") {
      const amount = charge.type === "per_unit" ? charge.amount : null;
      await changeRules(db, (transaction) =>
        insertPrice(transaction, {
          id,
          meter,
          model: null,
          hardware: null,
          amount,
          charge: amount === null ? charge : null,
          ...terms,
          currency: "USD",
          effective_from: new Date(from),
        }),
      );
    },
    async close() {
      await http.stop(0);
      await database.close();
    },
  };
}

/** An event of a meter of one's own, admitted when it happened. */
export const usage = (
  id: string,
  meter: string,
  quantity: string,
  time: string,
  more: { readonly key?: string; readonly dimensions?: Record<string, string> } = {},
): UsageRecord => ({
  id,
  source: "https://tests.example",
  meter,
  quantity,
  time: new Date(time),
  admittedAt: new Date(time),
  requestId: null,
  keyId: (more.key ?? null) as KeyId | null,
  dimensions: more.dimensions ?? {},
});
