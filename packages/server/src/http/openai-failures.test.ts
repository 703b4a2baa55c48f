import { AppError, type ErrorCode } from "@gristmill/contract";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { renderFailure } from "./failures.ts";
import { route } from "./route.ts";
import type { Http } from "./server.ts";
import { httpHarness, withKey } from "./testing/harness.ts";

const told = (code: ErrorCode, details: Record<string, unknown> = {}) =>
  renderFailure(new AppError(code, "What happened.", { details }), "openai", "req_1");

test.each([
  ["auth.missing", "authentication_error", "invalid_api_key"],
  ["auth.forbidden", "permission_error", "auth.forbidden"],
  ["deployment.not_found", "not_found_error", "model_not_found"],
  ["request.invalid", "invalid_request_error", "request.invalid"],
  ["price.conflict", "invalid_request_error", "price.conflict"],
  ["budget.exceeded", "insufficient_quota", "insufficient_quota"],
  ["limit.exceeded", "requests", "rate_limit_exceeded"],
  ["database.unavailable", "server_error", "database.unavailable"],
  ["internal", "server_error", "internal"],
] as const)("[HTTP6] in OpenAI's words, %s is of type %s", (code, type, known) => {
  expect(told(code)).toEqual({ error: { message: "What happened.", type, param: null, code: known } });
});

test("[HTTP6] in OpenAI's words, a limit of tokens is one of tokens, and the wrong field is named", () => {
  expect(told("limit.exceeded", { metric: "tokens_per_minute" })).toMatchObject({ error: { type: "tokens" } });
  expect(told("request.invalid", { param: "page" })).toMatchObject({ error: { param: "page" } });
  expect(told("request.invalid", { problems: [{ field: "limit" }, { field: "page" }] })).toMatchObject({
    error: { param: "limit" },
  });
  expect(told("request.invalid", { problems: [{ field: "" }] })).toMatchObject({ error: { param: null } });
});

let http: Http | undefined;
afterEach(() => http?.stop(0));

test("[HTTP6] all failures under /v1 are told in OpenAI's words, of paths that are not there too", async () => {
  ({ http } = await httpHarness([
    route({
      method: "GET",
      path: "/v1/things",
      summary: "Things",
      tag: "Things",
      surface: "openai",
      access: { scope: "inference" },
      charge: { free: "a test" },
      query: z.strictObject({ count: z.coerce.number().optional() }),
      handler: async () => ({ body: {} }),
    }),
  ]));
  const errorOf = async (url: string, headers = {}) => (await http?.app.inject({ url, headers }))?.json().error;
  expect(await errorOf("/v1/things")).toMatchObject({ type: "authentication_error", code: "invalid_api_key" });
  expect(await errorOf("/v1/things?count=x", withKey)).toMatchObject({
    type: "invalid_request_error",
    param: "count",
    code: "request.invalid",
  });
  expect(await errorOf("/v1/nothing", withKey)).toMatchObject({ type: "not_found_error", code: "route.not_found" });
});
