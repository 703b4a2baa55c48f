/** @file HTTP face of projects: parse, call, shape the reply. */
import { createProject, listOf, listQuery, type Project, project, updateProject } from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../../http/index.ts";
import type { ProjectRow } from "../tables.ts";
import type { ProjectService } from "./service.ts";

const common = { tag: "Projects", charge: { free: "management of the platform itself" } } as const;
const own = { known: "everyone sees the projects that they may act in, and no other" } as const;
const params = z.strictObject({ project: z.string().max(64) });

/** Routes of `/api/projects`. */
export const projectRoutes = (service: ProjectService): readonly Route[] => [
  route({
    ...common,
    method: "GET",
    path: "/api/projects",
    summary: "List the organization's projects, as far as they are open to you, archived ones too",
    access: own,
    query: listQuery,
    response: listOf(project),
    handler: async ({ caller, query }) => ({
      body: pageOf(await service.list(caller, query), query.limit, projectToWire),
    }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/api/projects",
    summary: "Make a project",
    access: { scope: "projects:write" },
    audit: { action: "project.created" },
    body: createProject,
    response: project,
    successStatus: 201,
    handler: async ({ caller, body }) => ({ status: 201, body: projectToWire(await service.create(caller, body)) }),
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/projects/:project",
    summary: "Show a project, by name or id",
    access: own,
    params,
    response: project,
    handler: async ({ caller, params }) => ({ body: projectToWire(await service.get(caller, params.project)) }),
  }),
  route({
    ...common,
    method: "PATCH",
    path: "/api/projects/:project",
    summary: "Rename or describe a project, or take it back from the archive",
    access: { scope: "projects:write" },
    audit: { action: "project.updated" },
    params,
    body: updateProject,
    response: project,
    handler: async ({ caller, params, body }) => ({
      body: projectToWire(await service.update(caller, params.project, body)),
    }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/api/projects/:project/archive",
    summary: "Archive a project: its keys are refused, what it holds stays and can be read",
    access: { scope: "projects:write" },
    audit: { action: "project.archived" },
    params,
    response: project,
    handler: async ({ caller, params }) => ({ body: projectToWire(await service.archive(caller, params.project)) }),
  }),
];

const projectToWire = (row: ProjectRow): Project => ({
  id: row.id,
  object: "project",
  organization_id: row.organization_id,
  name: row.name,
  description: row.description,
  created_at: row.created_at.toISOString(),
  archived_at: row.archived_at?.toISOString() ?? null,
});
