/** @file What the pipeline needs of whoever keeps the audit log. */
import type { AuditAction, RequestId } from "@gristmill/contract";
import type { Answer, Caller } from "./route.ts";

/** A change that is about to be made. */
export interface Change {
  readonly action: AuditAction;
  readonly caller: Caller;
  readonly requestId: RequestId;
  /** The path with its parameters: what is changed. */
  readonly path: string;
  /** What the request brings: checked JSON, or undefined for bytes and streams. May hold secrets. */
  readonly body: unknown;
  /** The client's address. */
  readonly address: string;
}

/** Sees that no change goes unrecorded, however the process ends. */
export interface AuditTrail {
  /** Notes durably that the change begins, makes it, and enters how it ended into the log before the answer is sent. */
  around(change: Change, make: () => Promise<Answer>): Promise<Answer>;
}

/** For tests of what has nothing to do with the audit log. */
export const unaudited: AuditTrail = { around: (_, make) => make() };
