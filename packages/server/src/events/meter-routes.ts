/** @file HTTP face of meters. */
import {
  createMeter,
  deleted,
  listOf,
  meterDefinition,
  meterQuery,
  meterReport,
  metersQuery,
} from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import type { Meters } from "./meters.ts";
import type { Reports } from "./reports.ts";

const tag = "Meters";
const reading = { free: "looking at meters is not use" };
const params = z.object({ meter: z.string().max(64) });

/** /api/meters. */
export const meterRoutes = (meters: Meters, reports: Reports): readonly Route[] => [
  route({
    method: "GET",
    path: "/api/meters",
    summary: "List meters, the platform's and the project's own",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    query: metersQuery,
    response: listOf(meterDefinition),
    handler: async ({ caller, query }) => ({ body: await meters.list(caller.projectId, query) }),
  }),
  route({
    method: "POST",
    path: "/api/meters",
    summary: "Make a meter that counts the events of one type",
    tag,
    access: { scope: "meters:write" },
    charge: { free: "a meter is no use, what it counts is the project's own" },
    audit: { action: "meter.created" },
    body: createMeter,
    response: meterDefinition,
    successStatus: 201,
    handler: async ({ caller, body }) => ({ status: 201, body: await meters.create(caller.projectId, body) }),
  }),
  route({
    method: "GET",
    path: "/api/meters/:meter",
    summary: "Show a meter, by its name or id",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    params,
    response: meterDefinition,
    handler: async ({ caller, params: { meter } }) => ({ body: await meters.get(caller.projectId, meter) }),
  }),
  route({
    method: "DELETE",
    path: "/api/meters/:meter",
    summary: "Count no more; what was counted stays",
    tag,
    access: { scope: "meters:write" },
    charge: { free: "deleting is not use" },
    audit: { action: "meter.deleted" },
    params,
    response: deleted,
    handler: async ({ caller, params: { meter } }) => ({
      body: { id: await meters.delete(caller.projectId, meter), object: "meter", deleted: true },
    }),
  }),
  route({
    method: "GET",
    path: "/api/meters/:meter/query",
    summary: "Ask a meter, in windows, by groups, narrowed by `filter.<dimension>`",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    params,
    query: meterQuery,
    response: meterReport,
    handler: async ({ caller, params: { meter }, query }) => ({
      body: await reports.ask(caller.projectId, meter, query),
    }),
  }),
];
