/** @file The ledger on PostgreSQL: two queues, one for claims and one for settlements, each committing in groups. */
import type { OrganizationId, ProjectId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import type { Caller, Limiter, LimitState } from "../http/index.ts";
import { type Admitted, type Entrant, termsOf } from "./admission.ts";
import { Admissions } from "./admissions.ts";
import { CurrentPolicy } from "./current-policy.ts";
import { isShared, repeatedOnce, unwritable } from "./failure.ts";
import { GroupCommit, type Refusal } from "./group-commit.ts";
import type { Claim, Ledger, OpenClaim, Reservation, ReservationRequest, Settled, UsageRecord } from "./ledger.ts";
import { noPolicy } from "./no-policy.ts";
import { Organizations } from "./organizations.ts";
import type { ClaimKind, PolicySources } from "./policy.ts";
import type { Settlement } from "./settlement.ts";
import { Settlements } from "./settlements.ts";
import { checkEstimates, checkRecords } from "./usage-record.ts";

/** What the ledger is made from. */
export interface LedgerDeps {
  readonly db: Database;
  readonly log: Log;
  /** The number under which this server lives; null before it has started. */
  readonly instance: () => number | null;
  /** Limits, budgets and prices; default: none. */
  readonly policy?: PolicySources;
  readonly now?: () => Date;
  /** How long a commit may take before its callers are refused; default 5000. */
  readonly timeoutMs?: number;
}

/** Claims wait less than settlements do: when writing is slow, new work is refused before finished work is. */
const maxWaitingClaims = 4096;
const maxWaitingSettlements = 32_768;
const maxGroupSize = 512;

interface Waiting {
  readonly signal?: AbortSignal;
}

/** Keeps the ledger's promises on PostgreSQL: see the rules in README.md. */
export class DatabaseLedger implements Ledger, Limiter {
  readonly #claims: GroupCommit<Entrant, Admitted>;
  readonly #settlements: GroupCommit<Settlement, ReadonlySet<UsageRecord>>;
  readonly #policy: CurrentPolicy;
  readonly #organizations: Organizations;
  readonly #now: () => Date;

  constructor(deps: LedgerDeps) {
    const { db, log, instance, policy = noPolicy, now = () => new Date(), timeoutMs = 5000 } = deps;
    this.#now = now;
    this.#policy = new CurrentPolicy(db, policy);
    this.#organizations = new Organizations(db);
    const parts = { db, policy: this.#policy, organizations: this.#organizations };
    const settlements = new Settlements(parts);
    const admissions = new Admissions({ db, policy: this.#policy, settlements, now, instance });
    const shared = { isShared, refusal, maxGroupSize, timeoutMs };
    this.#settlements = new GroupCommit({
      ...shared,
      maxWaiting: maxWaitingSettlements,
      sizeOf: (settlement) => Math.max(1, settlement.events.length),
      onAbandoned: () => {}, // written after all; a repeat finds it
      commit: async (group) => {
        const repeated = await settlements.write(group);
        return () => repeated;
      },
    });
    this.#claims = new GroupCommit({
      ...shared,
      maxWaiting: maxWaitingClaims,
      sizeOf: () => 1,
      onAbandoned: ({ claim }) => {
        if (claim === null) return;
        this.release(claim).catch((error: unknown) =>
          log.warn({ claim: claim.id, error: String(error) }, "a claim that nobody waits for stays"),
        );
      },
      commit: async (group) => {
        const outcomes = await admissions.admit(group);
        return (entrant) => {
          const outcome = outcomes.get(entrant);
          if (outcome === undefined) throw new Error("ledger: a claim was not decided");
          if ("failure" in outcome) throw outcome.failure;
          return outcome;
        };
      },
    });
  }

  async reserve(request: ReservationRequest, options: Waiting = {}): Promise<Reservation> {
    const { requestId, ...claim } = request;
    const { projectId, keyId } = request;
    const admitted = await this.#enter({ ...claim, id: requestId }, "request", options);
    return { requestId, projectId, keyId, ...admitted };
  }

  async claim(claim: Claim, options: Waiting = {}): Promise<OpenClaim> {
    const { id, projectId, keyId } = claim;
    const { admittedAt } = await this.#enter(claim, "cost", options);
    return { id, projectId, keyId, admittedAt };
  }

  /**
   * Takes the place of a request that reserves nothing under its limits of requests. Where no rule is known, nothing is
   * asked of the database; a new rule is known within a second, or with the next claim.
   */
  async count({ organizationId, projectId, keyId }: Caller): Promise<readonly LimitState[]> {
    const entrant: Entrant = { claimant: { organizationId, projectId, keyId }, kind: "free", claim: null };
    const policy = await repeatedOnce(() => this.#policy.get());
    if (termsOf(policy, entrant, this.#now()).takes.length === 0) return [];
    return (await this.#claims.submit(entrant)).limits;
  }

  async settle(settled: Settled, events: readonly UsageRecord[]): Promise<void> {
    checkRecords(events, "use");
    await this.#settlements.submit({ projectId: settled.projectId, ends: nameOf(settled), events });
  }

  async release(settled: Settled): Promise<void> {
    await this.#settlements.submit({ projectId: settled.projectId, ends: nameOf(settled), events: [] });
  }

  async record(projectId: ProjectId, events: readonly UsageRecord[]): Promise<readonly UsageRecord[]> {
    checkRecords(events, "any");
    if (events.length === 0) return [];
    const repeated = await this.#settlements.submit({ projectId, ends: null, events });
    return events.filter((event) => repeated.has(event));
  }

  /** Reads the rules again if the database has others than this server knows. */
  async knowRules(version: string): Promise<void> {
    await this.#policy.refresh(version);
  }

  /** Takes no more claims, then no more settlements, and resolves when every caller has its answer. */
  async stop(): Promise<void> {
    await this.#claims.stop();
    await this.#settlements.stop();
  }

  async #enter(claim: Claim, kind: ClaimKind, { signal }: Waiting): Promise<Admitted> {
    checkEstimates(claim);
    const { projectId, keyId } = claim;
    const organizationId = claim.organizationId ?? (await this.#organizationOf(projectId));
    this.#organizations.note(projectId, organizationId);
    return await this.#claims.submit({ claimant: { organizationId, projectId, keyId }, kind, claim }, signal);
  }

  async #organizationOf(projectId: ProjectId): Promise<OrganizationId> {
    await repeatedOnce(() => this.#organizations.learn([projectId]));
    const organizationId = this.#organizations.find(projectId);
    if (organizationId === undefined) throw new Error("ledger: a claim names no project");
    return organizationId;
  }
}

const nameOf = (settled: Settled): string => ("id" in settled ? settled.id : settled.requestId);

const refusals: Record<Refusal, string> = {
  full: "The ledger's queue is full.",
  late: "The ledger's database does not answer in time.",
  stopped: "The ledger has stopped.",
};

const refusal = (reason: Refusal): Error => unwritable(refusals[reason]);
