/** @file What the rest of the platform may do with the ledger. */
import type { KeyId, OrganizationId, ProjectId, RequestId } from "@gristmill/contract";
import type { LimitState } from "../http/index.ts";
import type { MeteredQuantity } from "./policy.ts";

/** Whose events ours are; events that others send carry a source of their own. */
export const ownSource = "gristmill";

/** Something used, before it is written. */
export interface UsageRecord {
  /** Unique within (project, source): derived from a request, run, replica or dataset version, never random, so that a repeat is recognized. */
  readonly id: string;
  /** Left out: ours. Events that others send carry their own, and count for meters of their own. */
  readonly source?: string;
  /** Of our source: one of the contract's table. */
  readonly meter: string;
  /**
   * Exact decimal as text without exponent (at most 18 digits before the point and 9 after it), or a whole number. Above zero
   * when it settles a claim; `record` also takes zero (a gauge that stands at nothing) and less (a correction).
   */
  readonly quantity: string | bigint;
  /** When it happened, years 2020 to 2099. */
  readonly time: Date;
  /** Decides the price and the period of a budget; of a slice of running cost, the slice's start. */
  readonly admittedAt: Date;
  readonly requestId: RequestId | null;
  readonly keyId: KeyId | null;
  /** model, deployment, run, dataset, hardware ...: at most 16, names up to 64 and values up to 512 characters. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** Dimensions by which this meter is summed up hour by hour, beside `rolledUp`: those that a meter of others declares. */
  readonly rollUpBy?: readonly string[];
  /** The event as others sent it, JSON as text: kept with the row (`usage_event.original`), and read by nobody but who asks for it back. */
  readonly original?: string;
}

/** Dimensions of every event that the sums by the hour (`usage_hour`) keep apart. */
export const rolledUp = ["service", "model", "deployment", "run", "dataset", "hardware", "user"] as const;

/** What names an open claim. */
export interface ClaimName {
  /** Of a request, its id. */
  readonly id: string;
  readonly projectId: ProjectId;
}

/** A claim of running cost (a slice of training, of a replica's time, of storage) before it begins. */
export interface Claim extends ClaimName {
  /** Left out: the project's, which the ledger looks up. */
  readonly organizationId?: OrganizationId;
  readonly keyId: KeyId | null;
  readonly estimates: readonly MeteredQuantity[];
  /** True: it is durable, and ends only when it is settled or released, by whichever server goes on with what it is for. */
  readonly outlives?: boolean;
}

/** A claim that found room, until it is settled or released. */
export interface OpenClaim extends ClaimName {
  readonly keyId: KeyId | null;
  /** By the database's clock. */
  readonly admittedAt: Date;
}

/** The claim of a request; settled or released exactly once. */
export interface Reservation {
  readonly requestId: RequestId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  /** By the database's clock. */
  readonly admittedAt: Date;
  /** How the claimant stands with its limits. */
  readonly limits: readonly LimitState[];
}

/** What a request wants to use. */
export interface ReservationRequest {
  readonly requestId: RequestId;
  readonly organizationId: OrganizationId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  readonly estimates: readonly MeteredQuantity[];
}

/** A request's claim, or another's. */
export type Settled = Reservation | Pick<Reservation, "requestId" | "projectId"> | ClaimName;

/** The one place where usage is written. Every method is durable when it resolves, but `reserve` and `claim`, which may be lost with the machine. */
export interface Ledger {
  /**
   * Takes the request's place under every limit and budget and claims what it may use at most, in one step: all or nothing.
   * An aborted caller is let go at once, and its claim is released.
   * @throws AppError `limit.exceeded`, `budget.exceeded`, `price.unknown`; `database.unavailable` when nothing can be
   * written: unmetered work is refused.
   */
  reserve(request: ReservationRequest, options?: { readonly signal?: AbortSignal }): Promise<Reservation>;
  /**
   * The same for what is no request. It counts as no request under limits; a repeat of the same id finds the first. It ends
   * when it is settled or released, or, unless it outlives it, with this server's process.
   */
  claim(claim: Claim, options?: { readonly signal?: AbortSignal }): Promise<OpenClaim>;
  /**
   * Writes the events and ends the claim in one transaction; a second call for the same ids changes nothing. Ending a claim
   * that is not open (any more) is no failure.
   * @throws AppError `database.unavailable` when it is not known to be written: do not answer; calling again is safe.
   */
  settle(settled: Settled, events: readonly UsageRecord[]): Promise<void>;
  /** Ends a claim that used nothing. */
  release(settled: Settled): Promise<void>;
  /**
   * Usage that nothing was claimed for: imports, events of others, corrections. Idempotent by (project, source, id); at most
   * 1000 events. Resolves to those that were on the ledger before, or twice among these.
   */
  record(projectId: ProjectId, events: readonly UsageRecord[]): Promise<readonly UsageRecord[]>;
}
