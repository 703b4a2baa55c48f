/** @file What the rest of the platform may do with the ledger. */
import type { KeyId, Meter, ProjectId, RequestId } from "@gristmill/contract";
import type { LimitState } from "../http/index.ts";

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
  /** Exact decimal above zero, as text without exponent (at most 18 digits before the point and 9 after it), or a whole number. */
  readonly quantity: string | bigint;
  /** When it happened, years 2020 to 2099. */
  readonly time: Date;
  /** Decides the price; of a slice of running cost, the slice's start. */
  readonly admittedAt: Date;
  readonly requestId: RequestId | null;
  readonly keyId: KeyId | null;
  /** model, deployment, run, dataset, hardware ...: at most 16, names up to 64 and values up to 512 characters. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** The event as others sent it, JSON as text: kept with the row (`usage_event.original`), and read by nobody but who asks for it back. */
  readonly original?: string;
}

/** A claim made before work starts; settled or released exactly once. */
export interface Reservation {
  readonly requestId: RequestId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  /** By the database's clock. */
  readonly admittedAt: Date;
  /** How the claimant stands with its limits. */
  readonly limits: readonly LimitState[];
}

/** The claim of one request. */
export interface ReservationRequest {
  readonly requestId: RequestId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  readonly estimates: readonly { readonly meter: Meter; readonly quantity: string | bigint }[];
}

/** The one place where usage is written. Every method is durable when it resolves, but `reserve`, which may be lost with the machine. */
export interface Ledger {
  /**
   * Claims before work starts. An aborted caller is let go at once, and its claim is released.
   * @throws AppError `database.unavailable` when nothing can be written: unmetered work is refused.
   */
  reserve(request: ReservationRequest, options?: { readonly signal?: AbortSignal }): Promise<Reservation>;
  /**
   * Writes the events and ends the reservation in one transaction; a second call for the same ids changes nothing.
   * @throws AppError `database.unavailable` when it is not known to be written: do not answer; calling again is safe.
   */
  settle(reservation: Reservation, events: readonly UsageRecord[]): Promise<void>;
  /** Ends a reservation that used nothing. */
  release(reservation: Reservation): Promise<void>;
  /** Usage outside a request: imports, slices of training and of deployments. Idempotent by (project, id); at most 1000 events. */
  record(projectId: ProjectId, events: readonly UsageRecord[]): Promise<void>;
}
