/** @file The feature behind the real pipeline on a real ledger, for tests: two projects, and keys with less than all scopes. */
import type { ProjectId, Scope } from "@gristmill/contract";
import type { Http } from "../../http/index.ts";
import { newId } from "../../ids.ts";
import { createMetering, type Ledger } from "../../metering/index.ts";
import { insertTestProject, type TestDatabase, testDatabase } from "../../testing/database.ts";
import { testHttp } from "../../testing/test-http.ts";
import { createEvents } from "../index.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** What a test needs of it. */
export interface EventsApp {
  readonly database: TestDatabase;
  readonly ledger: Ledger;
  readonly http: Http;
  readonly mine: ProjectId;
  readonly theirs: ProjectId;
  /** A JSON request; `key` is mine, theirs, sender (events:write only), viewer (usage:read only). */
  call(method: "GET" | "POST" | "DELETE", url: string, body?: unknown, key?: string): Promise<Answered>;
  /** Sends a batch of CloudEvents. */
  send(events: readonly unknown[], key?: string): Promise<Answered>;
  close(): Promise<void>;
}

/** An answer. */
export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test compares whatever comes
  readonly body: any;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** How it is set up. */
export interface EventsAppOptions {
  readonly now?: () => Date;
  readonly retentionMonths?: number;
  readonly quarantineLimit?: number;
}

/** The caller closes it. */
export async function eventsApp({
  now = () => new Date(),
  retentionMonths = 0,
  quarantineLimit = 10_000,
}: EventsAppOptions = {}): Promise<EventsApp> {
  const database = await testDatabase();
  const metering = createMetering({ db: database.db, now, log: silent });
  const [mine, theirs] = [await insertTestProject(database.db, "mine"), await insertTestProject(database.db, "theirs")];
  const ground = { now, newId, log: silent };
  const { ledger } = metering;
  const feature = createEvents({ ground, db: database.db, ledger, retentionMonths, quarantineLimit });
  const only = (projectId: ProjectId, ...scopes: Scope[]) => ({ projectId, scopes });
  const http = await testHttp([...feature.routes, ...metering.routes], {
    mine: { projectId: mine },
    theirs: { projectId: theirs },
    sender: only(mine, "events:write"),
    viewer: only(mine, "usage:read"),
  });
  const inject = async (
    method: "GET" | "POST" | "DELETE",
    url: string,
    payload: string | undefined,
    type: string,
    key: string,
  ): Promise<Answered> => {
    const answer = await http.app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${key}`, ...(payload === undefined ? {} : { "content-type": type }) },
      ...(payload === undefined ? {} : { payload }),
    });
    const isJson = String(answer.headers["content-type"]).includes("json");
    const text = answer.body;
    return {
      status: answer.statusCode,
      body: isJson && text !== "" ? parsed(text) : undefined,
      text,
      headers: answer.headers,
    };
  };
  return {
    database,
    ledger,
    http,
    mine,
    theirs,
    call: (method, url, body, key = "mine") =>
      inject(method, url, body === undefined ? undefined : JSON.stringify(body), "application/json", key),
    send: (events, key = "mine") =>
      inject("POST", "/api/events", JSON.stringify(events), "application/cloudevents-batch+json", key),
    close: async () => {
      await http.stop(0);
      await database.close();
    },
  };
}

/** JSON lines are JSON too, but not one value. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A CloudEvent; its fields by default those of a storage event now. */
export const cloudEventOf = <More extends Readonly<Record<string, unknown>>>(
  id: string,
  data: unknown,
  more: More = {} as More,
) => ({
  specversion: "1.0",
  id,
  source: "shop/checkout",
  type: "shop.order",
  time: new Date().toISOString(),
  data,
  ...more,
});
