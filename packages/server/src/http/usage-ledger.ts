/** @file What the pipeline needs of the ledger. */
import type { KeyId, Meter, ProjectId, RequestId } from "@gristmill/contract";

/** A claim, open until it is settled or released. */
export interface OpenReservation {
  readonly requestId: RequestId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
  /** By the database's clock. */
  readonly admittedAt: Date;
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
  reserve(request: {
    readonly requestId: RequestId;
    readonly projectId: ProjectId;
    readonly keyId: KeyId | null;
    readonly estimates: readonly { readonly meter: Meter; readonly quantity: string | bigint }[];
  }): Promise<OpenReservation>;
  settle(reservation: OpenReservation, events: readonly RequestUsage[]): Promise<void>;
  release(reservation: OpenReservation): Promise<void>;
}
