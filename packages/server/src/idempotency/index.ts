/** @file idempotency: the same request is worked on once. Rules: README.md. Read in this order: kept-answers, store, fate. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Idempotency } from "../http/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { type KeepingLimits, KeptAnswers } from "./kept-answers.ts";
import { type QuotaLimits, Quotas } from "./quotas.ts";
import { removeExpired } from "./store.ts";

/** What the feature is made of. */
export interface IdempotencyOptions {
  readonly ground: Pick<Ground, "log">;
  readonly db: Database;
  readonly secrets: SecretBox;
  /** The number under which this server lives (metering's); null before it has started. */
  readonly instance: () => number | null;
  readonly limits?: Partial<KeepingLimits>;
  readonly quotas?: Partial<QuotaLimits>;
  /** How often expired answers are removed; default 10 s. */
  readonly everyMs?: number;
}

const keeping: KeepingLimits = {
  keepMs: 24 * 3_600_000,
  answerBytes: 1024 * 1024,
  waitMs: 30_000,
  seats: { total: 1000, perProject: 100 },
};
const quota: QuotaLimits = { answers: 1_000_000, bytes: 1024 ** 3 };
const removedAtOnce = 5_000;
const countEvery = 6; // rounds

/** The feature; it works at once, and `start` sweeps from then on. Start it after metering, which knows who lives. */
export function createIdempotency(options: IdempotencyOptions): Feature & { readonly idempotency: Idempotency } {
  const { ground, db, secrets, instance, everyMs = 10_000 } = options;
  const { log } = ground;
  const quotas = new Quotas(db, { ...quota, ...options.quotas });
  const limits = { ...keeping, ...options.limits };
  const answers = new KeptAnswers({ db, secrets, log, instance, quotas, limits });
  const stopped = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const round = async (number: number): Promise<void> => {
    await answers.sweep();
    while ((await removeExpired(db, removedAtOnce)) === removedAtOnce) stopped.signal.throwIfAborted();
    if (number % countEvery === 0) await quotas.refresh();
  };
  const run = async (): Promise<void> => {
    for (let number = 1; !stopped.signal.aborted; number++) {
      await sleep(everyMs, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
      if (stopped.signal.aborted) return;
      await round(number).catch((err: unknown) => log.warn({ err }, "Kept answers were not swept."));
    }
  };
  return {
    routes: [],
    idempotency: answers,
    start: async () => {
      running = run();
    },
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
