/** @file The ledger on PostgreSQL: two queues, one for claims and one for settlements, each committing in groups. */
import type { ProjectId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import { isShared, isWorthRepeating, toCallerError, unwritable } from "./failure.ts";
import { GroupCommit, type Refusal } from "./group-commit.ts";
import type { Ledger, Reservation, ReservationRequest, UsageRecord } from "./ledger.ts";
import { PartitionsAhead } from "./partitions.ts";
import { type Settlement, writeClaims, writeSettlements } from "./store.ts";
import { checkEstimates, checkRecords } from "./usage-record.ts";

/** What the ledger is made from. */
export interface LedgerDeps {
  readonly db: Database;
  readonly log: Log;
  /** The number under which this server lives; null before it has started. */
  readonly instance: () => number | null;
  /** How long a commit may take before its callers are refused; default 5000. */
  readonly timeoutMs?: number;
}

/** Claims wait less than settlements do: when writing is slow, new work is refused before finished work is. */
const maxWaitingClaims = 4096;
const maxWaitingSettlements = 32_768;
const maxGroupSize = 512;

/** Keeps the ledger's promises on PostgreSQL: see the rules in README.md. */
export class DatabaseLedger implements Ledger {
  readonly #claims: GroupCommit<ReservationRequest, Date>;
  readonly #settlements: GroupCommit<Settlement, undefined>;

  constructor({ db, log, instance, timeoutMs = 5000 }: LedgerDeps) {
    const partitions = new PartitionsAhead(db);
    const shared = { isShared, refusal, maxGroupSize, timeoutMs };
    this.#settlements = new GroupCommit({
      ...shared,
      maxWaiting: maxWaitingSettlements,
      sizeOf: (settlement) => Math.max(1, settlement.events.length),
      onAbandoned: () => {}, // written after all; a repeat finds it
      commit: async (group) => {
        await repeatedOnce(async () => {
          await partitions.cover(group.flatMap((settlement) => settlement.events));
          await writeSettlements(db, group);
        });
        return () => undefined;
      },
    });
    this.#claims = new GroupCommit({
      ...shared,
      maxWaiting: maxWaitingClaims,
      sizeOf: () => 1,
      onAbandoned: (request) => {
        this.release(request).catch((error: unknown) =>
          log.warn({ request_id: request.requestId, error: String(error) }, "a claim that nobody waits for stays"),
        );
      },
      commit: async (group) => {
        const admitted = await repeatedOnce(() => writeClaims(db, group, instance()));
        return ({ requestId }) => {
          const admittedAt = admitted.get(requestId);
          if (admittedAt === undefined) throw new Error(`ledger: ${requestId} is claimed by another project`);
          return admittedAt;
        };
      },
    });
  }

  async reserve(request: ReservationRequest, options: { readonly signal?: AbortSignal } = {}): Promise<Reservation> {
    checkEstimates(request);
    const { requestId, projectId, keyId } = request;
    const admittedAt = await this.#claims.submit(request, options.signal);
    return { requestId, projectId, keyId, admittedAt, limits: [] };
  }

  async settle({ projectId, requestId }: Reservation, events: readonly UsageRecord[]): Promise<void> {
    checkRecords(events);
    await this.#settlements.submit({ projectId, requestId, events });
  }

  async release({ projectId, requestId }: Pick<Reservation, "projectId" | "requestId">): Promise<void> {
    await this.#settlements.submit({ projectId, requestId, events: [] });
  }

  async record(projectId: ProjectId, events: readonly UsageRecord[]): Promise<void> {
    checkRecords(events);
    if (events.length > 0) await this.#settlements.submit({ projectId, requestId: null, events });
  }

  /** Takes no more claims, then no more settlements, and resolves when every caller has its answer. */
  async stop(): Promise<void> {
    await this.#claims.stop();
    await this.#settlements.stop();
  }
}

/** Whoever lost the connection does not know whether the write was made; repeating it is safe and finds out. */
async function repeatedOnce<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write().catch((error: unknown) => {
      if (isWorthRepeating(error)) return write();
      throw error;
    });
  } catch (error) {
    throw toCallerError(error);
  }
}

const refusals: Record<Refusal, string> = {
  full: "The ledger's queue is full.",
  late: "The ledger's database does not answer in time.",
  stopped: "The ledger has stopped.",
};

const refusal = (reason: Refusal): Error => unwritable(refusals[reason]);
