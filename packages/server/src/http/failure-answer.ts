/** @file A failure as an answer, for who keeps answers. */
import type { RequestId } from "@gristmill/contract";
import { renderFailure, toAppError } from "./failures.ts";
import type { Answer, Route } from "./route.ts";

/** What the server would send for a failure of this route. */
export function failureAnswer(failure: unknown, route: Route, requestId: RequestId): Answer {
  const error = toAppError(failure);
  return {
    status: error.status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify(renderFailure(error, route.surface ?? "api", requestId)),
  };
}
