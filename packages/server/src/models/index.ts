/** @file models: the registry of immutable versions. */
import type { Kysely } from "kysely";
import type { Feature, Ground } from "../feature.ts";
import type { ObjectStore } from "../objects/index.ts";
import type { Storage } from "../storage/index.ts";
import { modelRoutes } from "./routes.ts";
import { Models } from "./service.ts";

export { taskMetadataKey } from "./inspect-onnx.ts";
export type { Models, NewVersion, UseCheck } from "./service.ts";
export { signatureOf } from "./signature.ts";

/** The registry with its routes. */
export function createModels(deps: {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly objects: ObjectStore;
  /** Asked before a model is imported, and told what models keep; left out: nobody counts what is stored. */
  readonly storage?: Pick<Storage, "addKeeper" | "checkPaid">;
}): Feature & { readonly models: Models } {
  const { storage } = deps;
  const models = new Models({ ...deps, checkPaid: async (projectId) => storage?.checkPaid(projectId) });
  storage?.addKeeper(() => models.storedBytes());
  return { models, routes: modelRoutes(models) };
}
