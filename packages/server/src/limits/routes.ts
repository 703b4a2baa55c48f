/** @file HTTP face of limits. */
import { createLimit, deleted, limit, limitsQuery, listOf, updateLimit } from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import type { LimitsService } from "./service.ts";

const shared = { tag: "Limits", charge: { free: "saying how much may be used is not use" } } as const;
const path = "/api/limits/:limit";
const params = z.strictObject({ limit: z.string().max(64) });

/** GET and POST /api/limits, PATCH and DELETE /api/limits/:limit. */
export const limitRoutes = (limits: LimitsService): readonly Route[] => [
  route({
    ...shared,
    method: "GET",
    path: "/api/limits",
    summary: "List the limits of the organization, or those that hold for one's project",
    access: { scope: "limits:read" },
    query: limitsQuery,
    response: listOf(limit),
    handler: async ({ caller, query }) => ({ body: await limits.list(caller, query) }),
  }),
  route({
    ...shared,
    method: "POST",
    path: "/api/limits",
    summary: "Limit an organization, a project or a key",
    access: { scope: "limits:write" },
    audit: { action: "limit.created" },
    body: createLimit,
    response: limit,
    successStatus: 201,
    handler: async ({ caller, body }) => ({ status: 201, body: await limits.create(caller, body) }),
  }),
  route({
    ...shared,
    method: "PATCH",
    path,
    summary: "Change how much a limit allows",
    access: { scope: "limits:write" },
    audit: { action: "limit.updated" },
    params,
    body: updateLimit,
    response: limit,
    handler: async ({ caller, params, body }) => ({ body: await limits.update(caller, params.limit, body) }),
  }),
  route({
    ...shared,
    method: "DELETE",
    path,
    summary: "Take a limit away",
    access: { scope: "limits:write" },
    audit: { action: "limit.deleted" },
    params,
    response: deleted,
    handler: async ({ caller, params }) => ({ body: await limits.delete(caller, params.limit) }),
  }),
];
