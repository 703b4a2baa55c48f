/** @file services: what callers call, in the protocols that they know. It uses the features below it; nothing uses it. */
import type { Feature } from "../feature.ts";
import { imageClassificationRoutes } from "./image-classification/routes.ts";
import { type InferenceProtocolParts, inferenceProtocolRoutes } from "./inference-protocol/routes.ts";
import { openaiRoutes } from "./openai/index.ts";
import { type OpenaiOrganizationParts, openaiOrganizationRoutes } from "./openai-organization/index.ts";

/** The services' routes. */
export const createServices = (parts: InferenceProtocolParts & OpenaiOrganizationParts): Feature => ({
  routes: [
    ...inferenceProtocolRoutes(parts),
    ...imageClassificationRoutes(parts.deployments),
    ...openaiRoutes(parts),
    ...openaiOrganizationRoutes(parts),
  ],
});
