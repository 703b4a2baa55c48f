/** @file Deployments over HTTP: parse, call, reply. Rules live in the service. */
import {
  createDeployment,
  deployment as deploymentSchema,
  listOf,
  listQuery,
  updateDeployment,
} from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import type { ServingService } from "./service.ts";

const tag = "Deployments";
const read = { scope: "deployments:read" } as const;
const write = { scope: "deployments:write" } as const;
const free = { free: "a deployment is charged while its replicas are ready, by the second" } as const;
const params = z.strictObject({ deployment: z.string().min(1).max(80) });

/** Routes of `/api/deployments`. */
export const servingRoutes = (serving: ServingService): Route[] => [
  route({
    method: "POST",
    path: "/api/deployments",
    summary: "Deploy a model version: its replicas are started, and its status tells when they answer",
    tag,
    access: write,
    audit: { action: "deployment.created" },
    charge: free,
    body: createDeployment,
    response: deploymentSchema,
    successStatus: 202,
    handler: async ({ caller, body }) => ({ status: 202, body: await serving.create(caller.projectId, body) }),
  }),
  route({
    method: "GET",
    path: "/api/deployments",
    summary: "List deployments",
    tag,
    access: read,
    charge: free,
    query: listQuery,
    response: listOf(deploymentSchema),
    handler: async ({ caller, query }) => ({ body: await serving.list(caller.projectId, query) }),
  }),
  route({
    method: "GET",
    path: "/api/deployments/:deployment",
    summary: "Show a deployment with its revisions and replicas, by name or id",
    tag,
    access: read,
    charge: free,
    params,
    response: deploymentSchema,
    handler: async ({ caller, params: { deployment } }) => ({
      body: await serving.get(caller.projectId, deployment),
    }),
  }),
  route({
    method: "PATCH",
    path: "/api/deployments/:deployment",
    summary:
      "Change replicas, or the model and its settings, which makes a new revision that replaces the old one when ready",
    tag,
    access: write,
    audit: { action: "deployment.updated" },
    charge: free,
    params,
    body: updateDeployment,
    response: deploymentSchema,
    successStatus: 202,
    handler: async ({ caller, params: { deployment }, body }) => ({
      status: 202,
      body: await serving.update(caller.projectId, deployment, body),
    }),
  }),
  route({
    method: "DELETE",
    path: "/api/deployments/:deployment",
    summary: "Delete a deployment: requests under way are answered, then its replicas stop",
    tag,
    access: write,
    audit: { action: "deployment.deleted" },
    charge: free,
    params,
    response: deploymentSchema,
    successStatus: 202,
    handler: async ({ caller, params: { deployment } }) => ({
      status: 202,
      body: await serving.delete(caller.projectId, deployment),
    }),
  }),
];
