/** @file The registry over HTTP: parse, call, reply. Rules live in the service. */
import { Readable } from "node:stream";
import {
  AppError,
  deleted,
  listOf,
  listQuery,
  model as modelSchema,
  modelVersion as versionSchema,
} from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import { ggufLimitBytes, type Models } from "./service.ts";

const tag = "Models";
const read = { scope: "models:read" } as const;
const write = { scope: "models:write" } as const;
const free = { free: "the registry itself costs nothing; what is stored and served does" } as const;
const model = z.string().min(1).max(80);
const modelParams = z.strictObject({ model });
const versionParams = z.strictObject({ model, version: z.coerce.number().int().min(1).max(1_000_000_000) });

/** Routes of `/api/models`. */
export const modelRoutes = (models: Models): Route[] => [
  route({
    method: "GET",
    path: "/api/models",
    summary: "List models",
    tag,
    access: read,
    charge: free,
    query: listQuery,
    response: listOf(modelSchema),
    handler: async ({ caller, query }) => ({ body: await models.list(caller.projectId, query) }),
  }),
  route({
    method: "GET",
    path: "/api/models/:model",
    summary: "Show a model, by name or id",
    tag,
    access: read,
    charge: free,
    params: modelParams,
    response: modelSchema,
    handler: async ({ caller, params }) => ({ body: await models.get(caller.projectId, params.model) }),
  }),
  route({
    method: "DELETE",
    path: "/api/models/:model",
    summary: "Delete a model with all its versions; refused while a deployment uses it",
    tag,
    access: write,
    audit: { action: "model.deleted" },
    charge: free,
    params: modelParams,
    response: deleted,
    handler: async ({ caller, params }) => {
      const { id } = await models.delete(caller.projectId, params.model);
      return { body: { id, object: "model", deleted: true } };
    },
  }),
  route({
    method: "GET",
    path: "/api/models/:model/versions",
    summary: "List a model's versions",
    tag,
    access: read,
    charge: free,
    params: modelParams,
    query: listQuery,
    response: listOf(versionSchema),
    handler: async ({ caller, params, query }) => ({
      body: await models.listVersions(caller.projectId, params.model, query),
    }),
  }),
  route({
    method: "POST",
    path: "/api/models/:model/versions",
    summary: "Import an ONNX or GGUF file as the model's next version; the model is made when it is new",
    tag,
    access: write,
    audit: { action: "model_version.created" },
    charge: free,
    params: modelParams,
    query: z.strictObject({ notes: z.string().max(10_000).optional() }),
    consumes: ["application/octet-stream"],
    streamsBody: true,
    bodyLimit: ggufLimitBytes,
    response: versionSchema,
    successStatus: 201,
    handler: async ({ caller, params, query, request, signal }) => ({
      status: 201,
      body: await models.importFile(caller.projectId, params.model, contentOf(request.body), {
        notes: query.notes ?? null,
        sizeBytes: lengthOf(request.headers["content-length"]),
        signal,
      }),
    }),
  }),
  route({
    method: "GET",
    path: "/api/models/:model/versions/:version",
    summary: "Show a version with its model card",
    tag,
    access: read,
    charge: free,
    params: versionParams,
    response: versionSchema,
    handler: async ({ caller, params }) => ({
      body: await models.version(caller.projectId, params.model, params.version),
    }),
  }),
  route({
    method: "GET",
    path: "/api/models/:model/versions/:version/artifact",
    summary: "Download a version's file; its sha256 is checked on the way",
    tag,
    access: read,
    charge: free,
    params: versionParams,
    handler: async ({ caller, params, signal }) => {
      const version = await models.version(caller.projectId, params.model, params.version);
      return {
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(version.size_bytes),
          "content-disposition": `attachment; filename="${version.model}-${version.version}.${version.format}"`,
          etag: `"sha256:${version.sha256}"`,
        },
        body: await models.openArtifact(version, signal),
      };
    },
  }),
];

/** @throws AppError `request.invalid` for a request without content. */
function contentOf(body: unknown): Readable {
  if (body instanceof Readable) return body;
  throw new AppError("request.invalid", "Expected the bytes of a model as application/octet-stream, received none.");
}

const lengthOf = (header: string | undefined): number | undefined =>
  header === undefined ? undefined : Number(header);
