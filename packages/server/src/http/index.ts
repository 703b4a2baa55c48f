/** @file http: the one request pipeline. It knows no feature. */
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
