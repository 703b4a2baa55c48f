/** @file Responses of echoing models over real HTTP, on a test's database and the real ledger. */
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import OpenAI from "openai";
import type { Database } from "../../../db/index.ts";
import { createHttp } from "../../../http/index.ts";
import { newId } from "../../../ids.ts";
import { createMetering } from "../../../metering/index.ts";
import { createSecretBox } from "../../../secrets/index.ts";
import { silentLog } from "../../../testing/app.ts";
import { testCaller } from "../../../testing/caller.ts";
import type { LanguageModels } from "../language-models.ts";
import { createResponses } from "../responses/index.ts";

/** A running server. */
export interface ResponsesServer {
  /** OpenAI's own client, which does not try again. */
  readonly client: OpenAI;
  readonly url: string;
  /** Sums of the project by meter, without "service.". */
  used(): Promise<Readonly<Record<string, number>>>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** @param options.allowed deployments that the caller may use; left out: all. */
export async function responsesServer(options: {
  readonly db: Database;
  readonly project: ProjectId;
  readonly models: LanguageModels;
  readonly allowed?: readonly string[];
}): Promise<ResponsesServer> {
  const { db, project, models, allowed } = options;
  const ground = { now: () => new Date(), log: silentLog };
  const metering = createMetering({ db, ...ground });
  const responses = createResponses({
    deployments: models,
    db,
    secrets: createSecretBox("a test's secret"),
    ledger: metering.ledger,
    ground,
  });
  await metering.start();
  await responses.start();
  const caller = testCaller(project, { scopes: ["inference"] });
  const http = await createHttp({
    routes: responses.routes,
    authenticator: {
      authenticate: async () => ({ ...caller, models: allowed === undefined ? null : new Set(allowed) }),
    },
    ledger: metering.ledger,
    allowedHosts: [],
    newId,
    ...ground,
  });
  const url = `http://127.0.0.1:${await http.listen("127.0.0.1", 0)}/v1`;
  return {
    client: new OpenAI({ apiKey: "a-key", baseURL: url, maxRetries: 0 }),
    url,
    used: async () => {
      const { rows } = await sql<{ meter: string; sum: string }>`
        select meter, sum(quantity)::text as sum from usage_event where project_id = ${project} group by meter`.execute(
        db,
      );
      return Object.fromEntries(rows.map(({ meter, sum }) => [meter.replace("service.", ""), Number(sum)]));
    },
    stop: async () => {
      await http.stop(0);
      await responses.stop();
      await metering.stop();
    },
  };
}
