/** @file New revisions: of a model version with its settings, or of upstreams. */
import { isDeepStrictEqual } from "node:util";
import { AppError, type ModelVersion, type ProjectId, type UpstreamShare } from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { CalledUpstreams } from "../upstreams/index.ts";
import type { RevisionSettings, SettingsInput } from "./settings.ts";
import type { CalledUpstream, NewRevision, RevisionRow } from "./store.ts";

/** Whose revision, and which. */
type Place = Pick<NewRevision, "id" | "project_id" | "deployment_id" | "revision">;

/** A revision that runs a model version. */
export const modelRevision = (place: Place, version: ModelVersion, settings: RevisionSettings): NewRevision => ({
  ...place,
  model_id: version.model_id,
  model: version.model,
  model_version: version.version,
  model_version_id: version.id,
  sha256: version.sha256,
  threads: settings.threads,
  batching: settings.batching,
  generation: settings.generation,
  upstreams: null,
});

/** A revision that calls upstreams; its model, in usage events too, is their names. */
export const upstreamRevision = (place: Place, called: readonly CalledUpstream[]): NewRevision => ({
  ...place,
  model_id: null,
  model: [...called]
    .sort((a, b) => a.priority - b.priority)
    .map(({ name }) => name)
    .join("+"),
  model_version: 0,
  model_version_id: null,
  sha256: null,
  threads: 1,
  batching: null,
  generation: null,
  upstreams: called,
});

/** With their ids; they stay until the transaction ends. @throws AppError `upstream.not_found` naming the first that is missing. */
export async function heldUpstreams(
  upstreams: CalledUpstreams,
  transaction: Transaction<unknown>,
  projectId: ProjectId,
  shares: readonly UpstreamShare[],
): Promise<readonly CalledUpstream[]> {
  const names = shares.map(({ name }) => name);
  const ids = new Map((await upstreams.hold(transaction, projectId, names)).map(({ id, name }) => [name, id]));
  return shares.map(({ name, weight, priority }) => {
    const id = ids.get(name);
    if (id === undefined) throw new AppError("upstream.not_found", `There is no upstream "${name}".`);
    return { id, name, weight, priority };
  });
}

/** The same again, after it failed, is another try. */
export const callsTheSame = (before: RevisionRow, called: readonly CalledUpstream[]): boolean =>
  before.state !== "failed" && isDeepStrictEqual(before.upstreams, called);

/** @throws AppError `request.invalid` for settings of what runs here. */
export function checkNoSettings(input: SettingsInput): void {
  for (const param of ["threads", "batching", "generation"] as const)
    if (input[param] !== undefined)
      throw new AppError("request.invalid", `${param}: upstreams have no such settings.`, { details: { param } });
}
