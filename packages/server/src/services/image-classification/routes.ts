/** @file Image bytes in, labels with scores out. */
import { AppError, classification, classifyQuery } from "@gristmill/contract";
import { type Route, route } from "../../http/index.ts";
import type { Deployments } from "../../serving/index.ts";
import { servedBy, serviceUse } from "../service-use.ts";
import { bestLabels } from "./best-labels.ts";

/** Far above any sensible photograph; the pixels are limited apart from this. */
const bodyLimit = 20 * 1024 * 1024;

/** `POST /api/services/image-classification`. */
export function imageClassificationRoutes(deployments: Deployments): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/api/services/image-classification",
      summary: "Classify an image (PNG, JPEG or WebP)",
      tag: "Services",
      access: { scope: "inference" },
      audit: { none: "use, which the ledger records" },
      model: (_, query) => query.model,
      query: classifyQuery,
      consumes: ["image/png", "image/jpeg", "image/webp", "application/octet-stream"],
      bodyLimit,
      response: classification,
      charge: {
        reserve: async ({ caller, query }) =>
          serviceUse(
            { service: "image-classification", ...(await servedBy(deployments, caller.projectId, query.model)) },
            1,
          ),
      },
      handler: async (context) => {
        const { caller, query, requestId, request, signal } = context;
        if (!(request.body instanceof Uint8Array) || request.body.byteLength === 0)
          throw new AppError(
            "image.unreadable",
            "The request has no body; send the bytes of a PNG, JPEG or WebP image.",
          );
        const { deployment, revision } = splitName(query.model);
        const result = await deployments.classify(caller.projectId, deployment, request.body, {
          signal,
          ...(revision === undefined ? {} : { revision }),
        });
        for (const quantity of serviceUse({ service: "image-classification", ...result.served }, 1))
          context.use(quantity);
        return {
          body: {
            object: "image.classification",
            id: requestId,
            model: result.served.deployment,
            model_version: result.modelVersion,
            labels: bestLabels(result.scores, result.classNames, query.top),
            usage: { images: 1 },
            timings: {
              queue_ms: result.timings.queueMs,
              compute_ms: result.timings.computeMs,
              batch_size: result.timings.batchSize,
            },
          },
        };
      },
    }),
  ];
}

/** `name` or `name@revision`. */
function splitName(model: string): { deployment: string; revision?: number } {
  const [, deployment = model, revision] = /^(.*)@(\d{1,9})$/.exec(model) ?? [];
  return revision === undefined ? { deployment } : { deployment, revision: Number(revision) };
}
