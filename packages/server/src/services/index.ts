/** @file services: what callers call. It uses deployments; nothing uses it. */
import type { Feature } from "../feature.ts";
import { imageClassificationRoutes } from "./image-classification/routes.ts";
import { type InferenceProtocolParts, inferenceProtocolRoutes } from "./inference-protocol/routes.ts";

/** The services' routes. */
export const createServices = (parts: InferenceProtocolParts): Feature => ({
  routes: [...inferenceProtocolRoutes(parts), ...imageClassificationRoutes(parts.deployments)],
});
