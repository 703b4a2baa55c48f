/** @file HTTP face of the ledger: reading events. Writing is the pipeline's. */
import { listOf, usageEvent, usageEventsQuery } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { type Route, route } from "../http/index.ts";
import { listEvents } from "./events.ts";

/** GET /api/usage/events. */
export const usageEventRoutes = (db: Database): readonly Route[] => [
  route({
    method: "GET",
    path: "/api/usage/events",
    summary: "List usage events, newest first",
    tag: "Usage",
    access: { scope: "usage:read" },
    charge: { free: "looking at what was used is not use" },
    query: usageEventsQuery,
    response: listOf(usageEvent),
    handler: async ({ caller, query }) => ({ body: await listEvents(db, caller.projectId, query) }),
  }),
];
