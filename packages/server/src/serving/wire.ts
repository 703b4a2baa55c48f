/** @file Rows and what runs as `/api` tells them, field by field. */
import type { Deployment, Revision } from "@gristmill/contract";
import type { RunningDeployment } from "./running-deployment.ts";
import type { DeploymentRow, RevisionRow } from "./store.ts";

/** Older revisions are history, which the rows keep. */
const shownRevisions = 20;

/** A deployment. @param running undefined: it is being removed, or could not be brought back. */
export function deploymentToWire(
  row: DeploymentRow,
  revisions: readonly RevisionRow[],
  running: RunningDeployment | undefined,
): Deployment {
  const active = revisions.find(({ state }) => state === "active");
  return {
    id: row.id,
    object: "deployment",
    project_id: row.project_id,
    name: row.name,
    status: row.intent === "remove" ? "stopping" : (running?.status() ?? "failed"),
    revision: active === undefined ? null : revisionToWire(active),
    revisions: revisions.slice(-shownRevisions).map(revisionToWire),
    desired_replicas: row.desired_replicas,
    replicas: running?.replicas() ?? [],
    // The row was read before, or is written after, what `status` tells.
    error: running?.error === undefined ? row.error : running.error,
    created_at: row.created_at.toISOString(),
  };
}

/** A revision. */
export const revisionToWire = (row: RevisionRow): Revision => ({
  id: row.id,
  revision: row.revision,
  model: row.model,
  model_version: row.model_version,
  model_version_id: row.model_version_id,
  sha256: row.sha256,
  threads: row.threads,
  batching: row.batching,
  generation: row.generation,
  upstreams: row.upstreams?.map(({ name, weight, priority }) => ({ name, weight, priority })) ?? null,
  created_at: row.created_at.toISOString(),
});
