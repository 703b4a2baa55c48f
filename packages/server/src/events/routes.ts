/** @file HTTP face of events, what was set aside, corrections and the export. */
import {
  AppError,
  cloudEvent,
  cloudEventTypes,
  correction,
  createCorrection,
  discardQuery,
  eventLimits,
  eventsQuery,
  eventsTaken,
  exportQuery,
  listOf,
  quarantinedEvent,
  quarantineQuery,
} from "@gristmill/contract";
import { z } from "zod";
import type { Database } from "../db/index.ts";
import { type Route, route } from "../http/index.ts";
import type { Corrections } from "./corrections.ts";
import type { Events } from "./events.ts";
import { exportLedger } from "./export/index.ts";
import type { Quarantine } from "./quarantine.ts";
import { sentEvents } from "./request-events.ts";

/** What the routes call. */
export interface EventRoutesDeps {
  readonly events: Events;
  readonly quarantine: Quarantine;
  readonly corrections: Corrections;
  readonly db: Database;
  readonly now: () => Date;
}

const tag = "Events";
const reading = { free: "looking at events is not use" };
const defaultSpanMs = 30 * 86_400_000;
const quarantinedParams = z.object({ event: z.string().max(64) });

/** /api/events, /api/quarantine, /api/corrections and /api/usage/export. */
export const eventRoutes = ({ events, quarantine, corrections, db, now }: EventRoutesDeps): readonly Route[] => [
  route({
    method: "POST",
    path: "/api/events",
    summary: "Send CloudEvents 1.0: one (structured or binary mode) or a batch of up to 1000",
    tag,
    access: { scope: "events:write" },
    charge: { free: "what is sent is the project's own use, not use of the platform" },
    audit: { none: "events are entries of the ledger, which tells of them itself" },
    consumes: [cloudEventTypes.structured, cloudEventTypes.batch, "application/json"],
    bodyLimit: eventLimits.bodyBytes,
    response: eventsTaken,
    successStatus: 202,
    handler: async ({ caller, request, body }) => {
      const sent = sentEvents({ headers: request.headers, body: body as Uint8Array | undefined });
      return { status: 202, body: await events.take(caller, sent) };
    },
  }),
  route({
    method: "GET",
    path: "/api/events",
    summary: "List events as CloudEvents, newest first; a bare batch with `accept: application/cloudevents-batch+json`",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    query: eventsQuery,
    response: listOf(cloudEvent),
    handler: async ({ caller, query, request }) => {
      const page = await events.list(caller.projectId, query);
      if (request.headers.accept?.includes(cloudEventTypes.batch) !== true) return { body: page };
      const next = new URLSearchParams({ ...(request.query as Record<string, string>), after: page.last_id ?? "" });
      return {
        headers: {
          "content-type": `${cloudEventTypes.batch}; charset=utf-8`,
          ...(page.has_more ? { link: `</api/events?${next}>; rel="next"` } : {}),
        },
        body: JSON.stringify(page.data),
      };
    },
  }),
  route({
    method: "GET",
    path: "/api/quarantine",
    summary: "List events that could not be counted, with the reason",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    query: quarantineQuery,
    response: listOf(quarantinedEvent),
    handler: async ({ caller, query }) => ({ body: await quarantine.list(caller.projectId, query) }),
  }),
  route({
    method: "GET",
    path: "/api/quarantine/:event",
    summary: "Show an event that could not be counted",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    params: quarantinedParams,
    response: quarantinedEvent,
    handler: async ({ caller, params }) => ({ body: await quarantine.get(caller.projectId, params.event) }),
  }),
  route({
    method: "POST",
    path: "/api/quarantine/:event/replay",
    summary: "Count it as if it came now",
    tag,
    access: { scope: "events:write" },
    charge: { free: "the event is the project's own use, not use of the platform" },
    audit: { action: "quarantine.replayed" },
    params: quarantinedParams,
    response: quarantinedEvent,
    handler: async ({ caller, params }) => ({
      body: await quarantine.replay(caller.projectId, params.event, (sender, value) => events.recount(sender, value)),
    }),
  }),
  route({
    method: "DELETE",
    path: "/api/quarantine/:event",
    summary: "Discard it, with the reason",
    tag,
    access: { scope: "events:write" },
    charge: { free: "throwing away is not use" },
    audit: { action: "quarantine.discarded" },
    params: quarantinedParams,
    query: discardQuery,
    response: quarantinedEvent,
    handler: async ({ caller, params, query }) => ({
      body: await quarantine.discard(caller.projectId, params.event, query.reason),
    }),
  }),
  route({
    method: "POST",
    path: "/api/corrections",
    summary: "Take back what an event counted, or set it right, by an opposite entry",
    tag,
    access: { scope: "ledger:write" },
    charge: { free: "a correction is not use" },
    audit: { action: "events.corrected" },
    body: createCorrection,
    response: correction,
    successStatus: 201,
    handler: async ({ caller, body, requestId }) => ({
      status: 201,
      body: await corrections.correct(caller.projectId, requestId, body),
    }),
  }),
  route({
    method: "GET",
    path: "/api/usage/export",
    summary: "Download the project's ledger as CSV, JSON lines or Parquet",
    tag,
    access: { scope: "usage:read" },
    charge: reading,
    audit: { action: "usage.exported" },
    query: exportQuery,
    handler: async ({ caller, query }) => {
      const to = query.to === undefined ? now() : new Date(query.to);
      const from = query.from === undefined ? new Date(to.getTime() - defaultSpanMs) : new Date(query.from);
      if (from >= to) throw new AppError("request.invalid", "from: expected a time before `to`.");
      const question = { projectId: caller.projectId, from, to, meter: query.meter ?? null };
      const { name, contentType, body } = exportLedger(db, question, query.format);
      return {
        headers: { "content-type": contentType, "content-disposition": `attachment; filename="${name}"` },
        body,
      };
    },
  }),
];
