/** @file Counts what projects keep at the start of every hour, and knows whose storage nobody pays for. */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type ProjectId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import { isRefusal, type Ledger } from "../metering/index.ts";
import { type Refusal, StorageStore } from "./store.ts";

/** Something that keeps bytes for projects: how many, by project. */
export type Keeper = () => Promise<ReadonlyMap<ProjectId, bigint>>;

/** What storage is made of. */
export interface StorageParts {
  readonly ground: Pick<Ground, "log">;
  readonly db: Database;
  readonly ledger: Pick<Ledger, "claim" | "settle">;
  /** Between tries while the database is away; default 10 s. */
  readonly retryMs?: number;
}

/** The running side, and what writers ask before they write. */
export interface Storage extends Feature {
  /** Whoever keeps bytes says so before `start`. */
  addKeeper(keeper: Keeper): void;
  /** @throws AppError `budget.exceeded`, `price.unknown` when the project's storage is not paid for this hour. */
  checkPaid(projectId: ProjectId): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes storage; it counts from `start` to `stop`. */
export function createStorage(parts: StorageParts): Storage {
  const keepers: Keeper[] = [];
  const store = new StorageStore(parts.db);
  const stopped = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const stored = async (): Promise<ReadonlyMap<ProjectId, bigint>> => {
    const sums = new Map<ProjectId, bigint>();
    for (const keeper of keepers)
      for (const [projectId, bytes] of await keeper()) sums.set(projectId, (sums.get(projectId) ?? 0n) + bytes);
    return sums;
  };

  /** Pays one hour of one project, unless it is paid. */
  const pay = async (projectId: ProjectId, hour: Date, bytes: bigint): Promise<Refusal | null> => {
    const last = await store.find(projectId);
    if (last !== undefined && last.hour >= hour && last.refusal === null) return null;
    const refusal = await charge(parts.ledger, projectId, hour, bytes);
    await store.write({ projectId, hour, bytes, refusal });
    return refusal;
  };

  const count = async (): Promise<number> => {
    const { hour, leftMs } = await store.currentHour();
    for (const [projectId, bytes] of await stored()) {
      stopped.signal.throwIfAborted();
      const refusal = bytes === 0n ? null : await pay(projectId, hour, bytes);
      if (refusal !== null) parts.ground.log.warn({ project_id: projectId, ...refusal }, "storage is not paid for");
    }
    return leftMs;
  };

  const run = async (): Promise<void> => {
    const { signal } = stopped;
    while (!signal.aborted) {
      const waitMs = await count().catch((error: unknown) => {
        if (!signal.aborted) parts.ground.log.warn({ error: String(error) }, "storage was not counted; trying again");
        return parts.retryMs ?? 10_000;
      });
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };

  return {
    routes: [],
    addKeeper: (keeper) => void keepers.push(keeper),
    async checkPaid(projectId) {
      const last = await store.find(projectId);
      if (last === undefined || last.refusal === null) return;
      const { hour } = await store.currentHour();
      const refusal = await pay(projectId, hour, (await stored()).get(projectId) ?? 0n);
      if (refusal !== null) throw new AppError(refusal.code, refusal.message, { details: { ...refusal.details } });
    },
    async start() {
      running = run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** Claims and records an hour; what is refused is answered, not thrown. */
async function charge(
  ledger: StorageParts["ledger"],
  projectId: ProjectId,
  hour: Date,
  bytes: bigint,
): Promise<Refusal | null> {
  if (bytes === 0n) return null;
  const id = `${projectId}:storage:${hour.toISOString().slice(0, 13)}`;
  const use = { meter: "data.byte_hours", quantity: bytes, dimensions: {} } as const;
  try {
    const claim = await ledger.claim({ id, projectId, keyId: null, estimates: [use] });
    const { admittedAt } = claim;
    await ledger.settle(claim, [{ id, ...use, time: admittedAt, admittedAt, requestId: null, keyId: null }]);
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { code: error.code as Refusal["code"], message: error.message, details: error.details };
  }
}
