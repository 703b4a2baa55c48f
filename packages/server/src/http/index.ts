/** @file http: the one request pipeline. It knows no feature. Read in this order: route, pipeline, server, failures. */
export { type Authenticator, type Credentials, type Limiter, unlimited } from "./authenticator.ts";
export { documentRoutes } from "./document-routes.ts";
export { healthRoutes } from "./health.ts";
export { holdsNul } from "./input.ts";
export { pageOf } from "./page.ts";
export {
  type Access,
  type Answer,
  type Caller,
  type Charge,
  type Quantity,
  type Route,
  type RouteContext,
  route,
} from "./route.ts";
export { createHttp, type Http, type HttpParts } from "./server.ts";
export type { OpenReservation, RequestUsage, UsageLedger } from "./usage-ledger.ts";
