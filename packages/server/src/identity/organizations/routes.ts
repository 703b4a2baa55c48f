/** @file HTTP face of organizations: parse, call, shape the reply. */
import {
  createOrganization,
  listOf,
  listQuery,
  type Organization,
  organization,
  updateOrganization,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../../http/index.ts";
import type { OrganizationRow } from "../tables.ts";
import type { OrganizationService } from "./service.ts";

const common = { tag: "Organizations", charge: { free: "management of the platform itself" } } as const;
const own = { known: "everyone sees the name of the organizations that they belong to, and no other" } as const;
const params = z.strictObject({ organization: z.string().max(64) });

/** Routes of `/api/organizations`. */
export const organizationRoutes = (service: OrganizationService): readonly Route[] => [
  route({
    ...common,
    method: "GET",
    path: "/api/organizations",
    summary: "List the organizations that you belong to",
    access: own,
    query: listQuery,
    response: listOf(organization),
    handler: async ({ caller, query }) => ({
      body: pageOf(await service.list(caller, query), query.limit, organizationToWire),
    }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/api/organizations",
    summary: "Make an organization, with its first project, `default`",
    access: { scope: "admin" },
    audit: { action: "organization.created" },
    body: createOrganization,
    response: organization,
    successStatus: 201,
    handler: async ({ body }) => ({ status: 201, body: organizationToWire(await service.create(body)) }),
  }),
  route({
    ...common,
    method: "GET",
    path: "/api/organizations/:organization",
    summary: "Show an organization, by name or id",
    access: own,
    params,
    response: organization,
    handler: async ({ caller, params }) => ({
      body: organizationToWire(await service.get(caller, params.organization)),
    }),
  }),
  route({
    ...common,
    method: "PATCH",
    path: "/api/organizations/:organization",
    summary: "Change the name that an organization is shown by",
    access: { scope: "organization:write" },
    audit: { action: "organization.updated" },
    params,
    body: updateOrganization,
    response: organization,
    handler: async ({ caller, params, body }) => ({
      body: organizationToWire(await service.update(caller, params.organization, body)),
    }),
  }),
];

const organizationToWire = (row: OrganizationRow): Organization => ({
  id: row.id,
  object: "organization",
  name: row.name,
  display_name: row.display_name,
  created_at: row.created_at.toISOString(),
});
