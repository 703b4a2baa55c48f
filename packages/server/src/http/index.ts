/** @file http: the one request pipeline. It knows no feature. Read in this order: route, pipeline, server, failures. */
export { type AuditTrail, type Change, unaudited } from "./audit-trail.ts";
export type { Authenticator, Credentials } from "./authenticator.ts";
export { type Denial, type Denials, uncounted } from "./denials.ts";
export { documentRoutes } from "./document-routes.ts";
export { EventStream, type EventStreamParts, eventStreamHeaders } from "./event-stream.ts";
export { failureAnswer } from "./failure-answer.ts";
export { toAppError } from "./failures.ts";
export { healthRoutes } from "./health.ts";
export { type Idempotency, type KeyedRequest, unkept } from "./idempotency.ts";
export { holdsNul, type Problem } from "./input.ts";
export { type Limiter, type LimitState, unlimited } from "./limits.ts";
export { renderOpenAiFailure } from "./openai-failures.ts";
export { pageOf } from "./page.ts";
export {
  type Access,
  type Answer,
  type Audit,
  type Caller,
  type Charge,
  type Quantity,
  type Route,
  type RouteContext,
  route,
} from "./route.ts";
export { createHttp, type Http, type HttpParts } from "./server.ts";
export { Tally } from "./tally.ts";
export type { OpenReservation, RequestUsage, UsageLedger } from "./usage-ledger.ts";
