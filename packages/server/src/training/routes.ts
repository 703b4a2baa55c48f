/** @file Runs over HTTP: parse, call, reply. Rules live in the service. */
import { Readable } from "node:stream";
import { AppError, createRun, listOf, listQuery, run as runSchema } from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import type { Runs } from "./service.ts";

const tag = "Runs";
const read = { scope: "runs:read" } as const;
const write = { scope: "runs:write" } as const;
const params = z.strictObject({ run: z.string().min(1).max(64) });

/** Routes of `/api/runs`. */
export const runRoutes = (runs: Runs): Route[] => [
  route({
    method: "POST",
    path: "/api/runs",
    summary: "Queue a training run",
    tag,
    access: write,
    audit: { action: "run.created" },
    charge: { free: "the request is; the run's worker is metered in slices of a minute while it works" },
    body: createRun,
    response: runSchema,
    successStatus: 202,
    handler: async ({ caller, body, requestId }) => ({
      status: 202,
      body: await runs.create({ projectId: caller.projectId, keyId: caller.keyId, requestId }, body),
    }),
  }),
  route({
    method: "GET",
    path: "/api/runs",
    summary: "List runs",
    tag,
    access: read,
    charge: { free: "reading is" },
    query: listQuery,
    response: listOf(runSchema),
    handler: async ({ caller, query }) => ({ body: await runs.list(caller.projectId, query) }),
  }),
  route({
    method: "GET",
    path: "/api/runs/:run",
    summary: "Show a run",
    tag,
    access: read,
    charge: { free: "reading is" },
    params,
    response: runSchema,
    handler: async ({ caller, params }) => ({ body: await runs.get(caller.projectId, params.run) }),
  }),
  route({
    method: "GET",
    path: "/api/runs/:run/events",
    summary: "Follow a run by server-sent events; Last-Event-ID resumes",
    tag,
    access: read,
    charge: { free: "reading is" },
    params,
    handler: async ({ caller, params, request, signal }) => {
      const after = lastEventId(request.headers["last-event-id"]);
      const events = await runs.events(caller.projectId, params.run, after, signal);
      return {
        headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
        body: Readable.from(events, { objectMode: false }),
      };
    },
  }),
  route({
    method: "POST",
    path: "/api/runs/:run/resume",
    summary: "Queue a paused run again; it goes on from its checkpoint when its budget has room",
    tag,
    access: write,
    audit: { action: "run.resumed" },
    charge: { free: "the request is; the run's worker is metered while it works" },
    params,
    response: runSchema,
    handler: async ({ caller, params }) => ({ body: await runs.resume(caller.projectId, params.run) }),
  }),
  route({
    method: "POST",
    path: "/api/runs/:run/cancel",
    summary: "Cancel a run; its last checkpoint stays",
    tag,
    access: write,
    audit: { action: "run.cancelled" },
    charge: { free: "stopping is" },
    params,
    response: runSchema,
    successStatus: 202,
    handler: async ({ caller, params }) => ({ status: 202, body: await runs.cancel(caller.projectId, params.run) }),
  }),
];

/** @throws AppError `request.invalid` for anything but a whole number from 0. */
function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === "") return 0;
  if (typeof header === "string" && /^\d{1,9}$/.test(header)) return Number(header);
  throw new AppError("request.invalid", `Last-Event-ID: expected the id of an event, received "${header}".`);
}
