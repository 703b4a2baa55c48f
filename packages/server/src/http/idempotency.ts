/** @file What the pipeline needs of whoever keeps answers for `Idempotency-Key`. */
import type { RequestId } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import type { Answer, Caller, Route } from "./route.ts";

/** A POST that carries the header. */
export interface KeyedRequest {
  /** The header's value. */
  readonly key: string;
  readonly caller: Caller;
  readonly route: Route;
  readonly request: FastifyRequest;
  readonly requestId: RequestId;
  readonly signal: AbortSignal;
}

/** Keeps answers, so that the same request is worked on once. */
export interface Idempotency {
  /**
   * Runs `execute` for the first request of a key and replays its answer to all others. `execute` gets the request id under
   * which usage is recorded: that of the first try, also when this one takes over from a killed server.
   * @throws AppError `idempotency.mismatch` for another body, `idempotency.in_progress`, `idempotency.not_replayable`.
   */
  run(keyed: KeyedRequest, execute: (requestId: RequestId) => Promise<Answer>): Promise<Answer>;
}

/** For tests of what has nothing to do with retries. */
export const unkept: Idempotency = { run: (keyed, execute) => execute(keyed.requestId) };
