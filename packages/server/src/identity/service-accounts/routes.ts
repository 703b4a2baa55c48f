/** @file HTTP face of service accounts: parse, call, shape the reply. */
import {
  createServiceAccount,
  deleted,
  listOf,
  listQuery,
  type ServiceAccount,
  serviceAccount,
  updateServiceAccount,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../../http/index.ts";
import type { ServiceAccountRow } from "../tables.ts";
import type { ServiceAccountService } from "./service.ts";

const common = { tag: "Service accounts", charge: { free: "management of the platform itself" } } as const;
const reading = { ...common, access: { scope: "organization:read" } } as const;
const writing = { ...common, access: { scope: "members:write" } } as const;
const params = z.strictObject({ service_account: z.string().max(100) });

/** Routes of `/api/service-accounts`. */
export const serviceAccountRoutes = (service: ServiceAccountService): readonly Route[] => [
  route({
    ...reading,
    method: "GET",
    path: "/api/service-accounts",
    summary: "List the organization's accounts of programs",
    query: listQuery,
    response: listOf(serviceAccount),
    handler: async ({ caller, query }) => ({
      body: pageOf(await service.list(caller, query), query.limit, accountToWire),
    }),
  }),
  route({
    ...writing,
    method: "POST",
    path: "/api/service-accounts",
    summary: "Make an account for a program; its role bounds what its keys can do",
    audit: { action: "service_account.created" },
    body: createServiceAccount,
    response: serviceAccount,
    successStatus: 201,
    handler: async ({ caller, body }) => ({ status: 201, body: accountToWire(await service.create(caller, body)) }),
  }),
  route({
    ...reading,
    method: "GET",
    path: "/api/service-accounts/:service_account",
    summary: "Show a service account, by name or id",
    params,
    response: serviceAccount,
    handler: async ({ caller, params }) => ({ body: accountToWire(await service.get(caller, params.service_account)) }),
  }),
  route({
    ...writing,
    method: "PATCH",
    path: "/api/service-accounts/:service_account",
    summary: "Rename, disable or enable a service account, or change its role",
    audit: { action: "service_account.updated" },
    params,
    body: updateServiceAccount,
    response: serviceAccount,
    handler: async ({ caller, params, body }) => ({
      body: accountToWire(await service.update(caller, params.service_account, body)),
    }),
  }),
  route({
    ...writing,
    method: "DELETE",
    path: "/api/service-accounts/:service_account",
    summary: "Delete a service account: its keys are refused",
    audit: { action: "service_account.deleted" },
    params,
    response: deleted,
    handler: async ({ caller, params }) => {
      const { id } = await service.delete(caller, params.service_account);
      return { body: { id, object: "service_account", deleted: true } };
    },
  }),
];

const accountToWire = (row: ServiceAccountRow): ServiceAccount => ({
  id: row.id,
  object: "service_account",
  name: row.name,
  role: row.role,
  project_id: row.project_id,
  created_at: row.created_at.toISOString(),
  disabled_at: row.disabled_at?.toISOString() ?? null,
});
