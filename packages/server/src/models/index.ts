/** @file models: the registry of immutable versions. */
import type { Kysely } from "kysely";
import type { Feature, Ground } from "../feature.ts";
import type { ObjectStore } from "../objects/index.ts";
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
}): Feature & { readonly models: Models } {
  const models = new Models(deps);
  return { models, routes: modelRoutes(models) };
}
