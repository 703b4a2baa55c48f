/** @file HTTP face of projects and keys: parse, call, shape the reply. */
import {
  type ApiKey,
  apiKey,
  createdKey,
  createKey,
  createProject,
  deleted,
  listOf,
  listQuery,
  type Project,
  project,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../http/index.ts";
import type { IdentityService } from "./service.ts";
import type { KeyRow, ProjectRow } from "./store.ts";

const free = { free: "management of the platform itself" } as const;
const projectParams = z.strictObject({ project: z.string().max(64) });
const keyParams = z.strictObject({ key: z.string().max(64) });

/** Routes of `/api/projects` and `/api/keys`. */
export const identityRoutes = (service: IdentityService): readonly Route[] => [
  ...projectRoutes(service),
  ...keyRoutes(service),
];

function projectRoutes(service: IdentityService): readonly Route[] {
  const common = { tag: "Projects", access: { scope: "admin" }, charge: free } as const;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/projects",
      summary: "List the projects",
      query: listQuery,
      response: listOf(project),
      handler: async ({ query }) => ({ body: pageOf(await service.listProjects(query), query.limit, projectToWire) }),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/projects",
      summary: "Make a project",
      body: createProject,
      response: project,
      successStatus: 201,
      handler: async ({ body }) => ({ status: 201, body: projectToWire(await service.createProject(body.name)) }),
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/projects/:project",
      summary: "Show a project, by name or id",
      params: projectParams,
      response: project,
      handler: async ({ params }) => ({ body: projectToWire(await service.getProject(params.project)) }),
    }),
  ];
}

function keyRoutes(service: IdentityService): readonly Route[] {
  const common = { tag: "Keys", access: { scope: "keys:write" }, charge: free } as const;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/keys",
      summary: "List the project's keys, revoked ones too",
      query: listQuery,
      response: listOf(apiKey),
      handler: async ({ caller, query }) => ({
        body: pageOf(await service.listKeys(caller, query), query.limit, keyToWire),
      }),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/keys",
      summary: "Make a key; this answer alone holds the key itself",
      body: createKey,
      response: createdKey,
      successStatus: 201,
      handler: async ({ caller, body }) => {
        const { row, key } = await service.createKey(caller, body);
        return { status: 201, headers: { "cache-control": "no-store" }, body: { ...keyToWire(row), key } };
      },
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/keys/:key",
      summary: "Show a key",
      params: keyParams,
      response: apiKey,
      handler: async ({ caller, params }) => ({ body: keyToWire(await service.getKey(caller, params.key)) }),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/keys/:key",
      summary: "Revoke a key; its row stays, because usage names it",
      params: keyParams,
      response: deleted,
      handler: async ({ caller, params }) => {
        await service.revokeKey(caller, params.key);
        return { body: { id: params.key, object: "key", deleted: true } };
      },
    }),
  ];
}

const projectToWire = (row: ProjectRow): Project => ({
  id: row.id,
  object: "project",
  name: row.name,
  created_at: row.created_at.toISOString(),
});

const keyToWire = (row: KeyRow): ApiKey => ({
  id: row.id,
  object: "key",
  project_id: row.project_id,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at?.toISOString() ?? null,
  last_used_at: row.last_used_at?.toISOString() ?? null,
  revoked_at: row.revoked_at?.toISOString() ?? null,
});
