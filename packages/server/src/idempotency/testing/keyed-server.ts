/** @file A server whose routes use meters, with the real ledger and kept answers, for tests that repeat requests. */

import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type KeyId, type ProjectId } from "@gristmill/contract";
import { z } from "zod";
import type { Database } from "../../db/index.ts";
import { createHttp, type Http, type Route, type RouteContext, route } from "../../http/index.ts";
import { newId } from "../../ids.ts";
import { createMetering, type Ledger } from "../../metering/index.ts";
import { createSecretBox } from "../../secrets/index.ts";
import { testCaller } from "../../testing/caller.ts";
import { createIdempotency, type IdempotencyOptions } from "../index.ts";

/** Where the server's work can be watched, held up or broken by a test. */
export interface Hooks {
  /** After the work, before it is settled. */
  worked?(): Promise<void>;
  /** After the settlement, before the answer is kept. */
  settled?(): Promise<void>;
  /** Before each of a stream's three parts. */
  part?(number: number, signal: AbortSignal): Promise<void>;
}

/** What a test's server is made of. */
export interface KeyedServerOptions extends Partial<Omit<IdempotencyOptions, "db">> {
  readonly db: Database;
  readonly hooks?: Hooks;
  readonly secret?: string;
  /** In front of the real ledger. */
  readonly wrapLedger?: (ledger: Ledger) => Ledger;
}

/** A running server. */
export interface KeyedServer {
  readonly http: Http;
  /** How often handlers ran. */
  runs(): number;
  /** One round of chores, as the timer does it. */
  stop(): Promise<void>;
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const body = z.strictObject({
  say: z.string().default(""),
  images: z.number().int().min(1).default(1),
  /** Bytes of the answer beside what it says. */
  size: z.number().int().default(0),
  fail: z.enum(["engine.queue_full", "engine.input_invalid", "internal", "budget.exceeded"]).nullable().default(null),
});
type Body = z.infer<typeof body>;

/** Keys are "project/key". The caller stops it. */
export async function keyedServer(options: KeyedServerOptions): Promise<KeyedServer> {
  const { db, hooks = {}, secret = "a secret of the tests", wrapLedger = (ledger) => ledger } = options;
  const metering = createMetering({ db, now: () => new Date(), log: silent, graceMs: 1000 });
  await metering.start();
  const idempotency = createIdempotency({
    ground: { log: silent },
    secrets: createSecretBox(secret),
    instance: () => metering.instance(),
    everyMs: 50,
    ...options,
  });
  await idempotency.start?.();
  const count = { runs: 0 };
  const real = wrapLedger(metering.ledger);
  const http = await createHttp({
    routes: routesOf(hooks, count),
    authenticator: {
      authenticate: async ({ key = "" }) => {
        const [project, keyId] = key.split("/");
        return testCaller(project as ProjectId, { keyId: keyId as KeyId });
      },
    },
    ledger: {
      reserve: (request, more) => real.reserve(request, more),
      release: (reservation) => real.release(reservation),
      settle: async (reservation, events) => {
        await real.settle(reservation, events);
        await hooks.settled?.();
      },
    },
    idempotency: idempotency.idempotency,
    allowedHosts: [],
    now: () => new Date(),
    newId,
    log: silent,
  });
  return {
    http,
    runs: () => count.runs,
    stop: async () => {
      await http.stop(100);
      await idempotency.stop?.();
      await metering.stop();
    },
  };
}

function routesOf(hooks: Hooks, count: { runs: number }): readonly Route[] {
  const common = { method: "POST", tag: "test", access: { scope: "inference" }, audit: { none: "a test" } } as const;
  const use = (context: RouteContext<unknown, unknown, { images: number }>): void => {
    context.use({ meter: "service.requests", quantity: 1n, dimensions: {} });
    context.use({ meter: "service.images", quantity: BigInt(context.body.images), dimensions: {} });
  };
  const reserve = () => [{ meter: "service.images" as const, quantity: 100n, dimensions: {} }];
  const answerOf = ({ say, size }: Body, requestId: string) => ({
    status: 201,
    headers: { "x-said": say },
    body: { id: requestId, said: say, run: count.runs, filling: "x".repeat(size) },
  });
  return [
    route({
      ...common,
      path: "/test/use",
      summary: "uses, answers",
      charge: { reserve },
      body,
      handler: async (context) => {
        count.runs++;
        const { fail } = context.body;
        if (fail !== null) throw new AppError(fail, `asked to fail with ${fail}`, { details: { run: count.runs } });
        use(context);
        await hooks.worked?.();
        return answerOf(context.body, context.requestId);
      },
    }),
    route({
      ...common,
      path: "/test/free",
      summary: "answers",
      charge: { free: "a test" },
      body,
      handler: async (context) => {
        count.runs++;
        await hooks.worked?.();
        return answerOf(context.body, context.requestId);
      },
    }),
    route({
      ...common,
      path: "/test/stream",
      summary: "uses, streams",
      charge: { reserve },
      body,
      handler: async (context) => {
        count.runs++;
        const parts = async function* (): AsyncGenerator<Buffer> {
          context.use({ meter: "service.requests", quantity: 1n, dimensions: {} });
          for (let number = 0; number < 3; number++) {
            await hooks.part?.(number, context.signal);
            context.use({ meter: "service.images", quantity: 1n, dimensions: {} });
            yield Buffer.from(`data: ${context.body.say} ${number} ${"x".repeat(context.body.size)}\n\n`);
          }
        };
        return {
          headers: { "content-type": "text/event-stream" },
          body: Readable.from(parts(), { objectMode: false }),
        };
      },
    }),
    route({
      ...common,
      path: "/test/bytes",
      summary: "answers bytes, or nothing",
      charge: { free: "a test" },
      consumes: ["application/octet-stream"],
      handler: async ({ request }) => {
        count.runs++;
        await sleep(1);
        return request.body instanceof Uint8Array && request.body.length > 0
          ? { headers: { "content-type": "application/octet-stream" }, body: request.body.toReversed() }
          : { status: 204, body: undefined };
      },
    }),
  ];
}
