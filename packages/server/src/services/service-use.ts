/** @file What an answered inference request uses: one request, and its images or rows. */
import type { ProjectId } from "@gristmill/contract";
import type { Quantity } from "../http/index.ts";
import type { Deployments, Served } from "../serving/index.ts";

/** Quantities of one request; the dimensions say which service, deployment and model. */
export function serviceUse(dimensions: Readonly<Record<string, string>>, rows: number): readonly Quantity[] {
  return [
    { meter: "service.requests", quantity: 1n, dimensions },
    { meter: "service.images", quantity: BigInt(rows), dimensions },
  ];
}

/**
 * Who will answer, from memory: what a request can cost at most depends on the model behind the deployment's name.
 * @throws AppError `deployment.not_found`, `deployment.revision_not_found`, `deployment.not_ready`.
 */
export async function servedBy(
  deployments: Deployments,
  projectId: ProjectId,
  reference: string,
  revision?: number,
): Promise<Served> {
  const { name, model, modelVersion } = await deployments.describe(projectId, reference, revision);
  return { deployment: name, model, model_version: String(modelVersion) };
}
