/** @file What the pipeline needs of the ledger. */
import type { KeyId, Meter, OrganizationId, ProjectId, RequestId } from "@gristmill/contract";
import type { LimitState } from "./limits.ts";
import type { Quantity } from "./route.ts";

/** A claim, open until it is settled or released. */
export interface OpenReservation {
  readonly requestId: RequestId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  /** By the database's clock. */
  readonly admittedAt: Date;
  /** How the caller stands with its limits, this request counted. */
  readonly limits: readonly LimitState[];
}

/** One thing that a request used. */
export interface RequestUsage {
  readonly id: string;
  readonly meter: Meter;
  readonly quantity: string | bigint;
  readonly time: Date;
  readonly admittedAt: Date;
  readonly requestId: RequestId;
  readonly keyId: KeyId | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Writes what requests use. `settle` is durable when it resolves. */
export interface UsageLedger {
  /**
   * Takes the request's place under every limit and budget and claims what it may use at most, in one step.
   * @throws AppError `limit.exceeded`, `budget.exceeded`, `price.unknown`, `database.unavailable`.
   */
  reserve(
    request: {
      readonly requestId: RequestId;
      readonly organizationId: OrganizationId;
      readonly projectId: ProjectId;
      readonly keyId: KeyId | null;
      readonly estimates: readonly Quantity[];
    },
    options?: { readonly signal?: AbortSignal },
  ): Promise<OpenReservation>;
  settle(reservation: OpenReservation, events: readonly RequestUsage[]): Promise<void>;
  release(reservation: OpenReservation): Promise<void>;
}
