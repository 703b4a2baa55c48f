/** @file What the pipeline needs of whoever counts denied accesses. */
import type { ErrorCode } from "@gristmill/contract";
import type { Caller } from "./route.ts";

/** An access that was denied: 401, 403, 404 of somebody else's, 421, 429. */
export interface Denial {
  /** undefined: it is not known who called. */
  readonly caller: Caller | undefined;
  readonly address: string;
  /** The route's pattern: "GET /api/keys/:key". */
  readonly route: string;
  readonly code: ErrorCode;
}

/** Counts, bounded, beside the requests. */
export interface Denials {
  note(denial: Denial): void;
}

/** For tests of what has nothing to do with denials. */
export const uncounted: Denials = { note: () => {} };
