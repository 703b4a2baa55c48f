/** @file HTTP face of datasets: parse, call, reply. Rules live in the service. */
import { createDataset, dataset, datasetPreview, deleted, listOf, listQuery, previewQuery } from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import type { DatasetService } from "./service.ts";
import { readUpload } from "./upload.ts";

const tag = "Datasets";
const read = { scope: "datasets:read" } as const;
const write = { scope: "datasets:write" } as const;
const free = { free: "an import is metered by its bytes when it is done; reading is free" } as const;
const named = z.strictObject({ dataset: z.string().min(1).max(80) });

/** Routes of `/api/datasets`. */
export const datasetRoutes = (service: DatasetService, splits: number): Route[] => [
  route({
    method: "POST",
    path: "/api/datasets",
    summary:
      'Import a dataset: from an npm package (JSON), or by upload (multipart: "dataset" as JSON first, then files named <split>.images and <split>.labels, plain or gzip)',
    tag,
    access: write,
    audit: { action: "dataset.created" },
    charge: free,
    body: createDataset,
    consumes: ["multipart/form-data"],
    response: dataset,
    successStatus: 202,
    handler: async ({ caller, body, requestId, admittedAt, signal, request }) => {
      const asked = { projectId: caller.projectId, keyId: caller.keyId, requestId, admittedAt };
      const made = request.headers["content-type"]?.startsWith("multipart/form-data")
        ? await service.importUpload(asked, await readUpload(request, splits), signal)
        : await service.importPackage(asked, body);
      return { status: 202, body: made };
    },
  }),
  route({
    method: "GET",
    path: "/api/datasets",
    summary: "List datasets",
    tag,
    access: read,
    charge: free,
    query: listQuery,
    response: listOf(dataset),
    handler: async ({ caller, query }) => ({ body: await service.list(caller.projectId, query) }),
  }),
  route({
    method: "GET",
    path: "/api/datasets/:dataset",
    summary: "Show a dataset, by name or id",
    tag,
    access: read,
    charge: free,
    params: named,
    response: dataset,
    handler: async ({ caller, params }) => ({ body: await service.get(caller.projectId, params.dataset) }),
  }),
  route({
    method: "DELETE",
    path: "/api/datasets/:dataset",
    summary: "Delete a dataset, and end its import; refused while a run uses it",
    tag,
    access: write,
    audit: { action: "dataset.deleted" },
    charge: free,
    params: named,
    response: deleted,
    handler: async ({ caller, params }) => {
      const id = await service.delete(caller.projectId, params.dataset);
      return { body: { id, object: "dataset", deleted: true } };
    },
  }),
  route({
    method: "GET",
    path: "/api/datasets/:dataset/preview",
    summary: "Look at records: labels, and images as PNG",
    tag,
    access: read,
    charge: free,
    params: named,
    query: previewQuery,
    response: datasetPreview,
    handler: async ({ caller, params, query }) => ({
      body: await service.preview(caller.projectId, params.dataset, query),
    }),
  }),
];
