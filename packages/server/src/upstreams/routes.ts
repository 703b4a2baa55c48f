/** @file HTTP face of upstreams. No answer holds a secret. */
import {
  createUpstream,
  deleted,
  listOf,
  listQuery,
  type Upstream,
  updateUpstream,
  upstream,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../http/index.ts";
import type { OpenedUpstream, UpstreamService } from "./service.ts";

const tag = "Upstreams";
const read = { tag, access: { scope: "deployments:read" } } as const;
const write = { tag, access: { scope: "deployments:write" } } as const;
const charge = { free: "management of the platform itself" } as const;
const params = z.strictObject({ upstream: z.string().min(1).max(80) });

/** GET and POST /api/upstreams; GET, PATCH and DELETE of one. */
export const upstreamRoutes = (upstreams: UpstreamService): readonly Route[] => [
  route({
    ...write,
    method: "POST",
    path: "/api/upstreams",
    summary: "Name a model behind another server of OpenAI's API, for deployments to call",
    audit: { action: "upstream.created" },
    charge,
    body: createUpstream,
    response: upstream,
    successStatus: 201,
    handler: async ({ caller, body }) => ({
      status: 201,
      body: upstreamToWire(await upstreams.create(caller.projectId, body)),
    }),
  }),
  route({
    ...read,
    method: "GET",
    path: "/api/upstreams",
    summary: "List upstreams",
    charge,
    query: listQuery,
    response: listOf(upstream),
    handler: async ({ caller, query }) => {
      const opened = await upstreams.list(caller.projectId, query);
      return { body: pageOf(opened.map(upstreamToWire), query.limit, (wire) => wire) };
    },
  }),
  route({
    ...read,
    method: "GET",
    path: "/api/upstreams/:upstream",
    summary: "Show an upstream, by name or id",
    charge,
    params,
    response: upstream,
    handler: async ({ caller, params }) => ({
      body: upstreamToWire(await upstreams.get(caller.projectId, params.upstream)),
    }),
  }),
  route({
    ...write,
    method: "PATCH",
    path: "/api/upstreams/:upstream",
    summary: "Change an upstream; deployments that call it do so in the new way at once",
    audit: { action: "upstream.updated" },
    charge,
    params,
    body: updateUpstream,
    response: upstream,
    handler: async ({ caller, params, body }) => ({
      body: upstreamToWire(await upstreams.update(caller.projectId, params.upstream, body)),
    }),
  }),
  route({
    ...write,
    method: "DELETE",
    path: "/api/upstreams/:upstream",
    summary: "Delete an upstream that no deployment calls",
    audit: { action: "upstream.deleted" },
    charge,
    params,
    response: deleted,
    handler: async ({ caller, params }) => {
      const { id } = await upstreams.delete(caller.projectId, params.upstream);
      return { body: { id, object: "upstream", deleted: true } };
    },
  }),
];

const upstreamToWire = ({ row, secrets: { credentials, headers } }: OpenedUpstream): Upstream => ({
  id: row.id,
  object: "upstream",
  project_id: row.project_id,
  name: row.name,
  base_url: row.base_url,
  model: row.model,
  dialect: row.dialect,
  credentials:
    credentials === null || credentials.type === "bearer"
      ? credentials && { type: "bearer" }
      : { type: "header", name: credentials.name },
  header_names: Object.keys(headers).sort(),
  query: { ...row.query },
  settings: row.settings,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});
