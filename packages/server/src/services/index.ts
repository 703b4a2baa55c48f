/** @file services: what callers call, in the protocols that they know. It uses the features below it; nothing uses it. */
import type { Feature } from "../feature.ts";
import { imageClassificationRoutes } from "./image-classification/routes.ts";
import { type InferenceProtocolParts, inferenceProtocolRoutes } from "./inference-protocol/routes.ts";
import { openaiRoutes } from "./openai/index.ts";
import { createResponses, type ResponsesParts } from "./openai/responses/index.ts";
import { type OpenaiOrganizationParts, openaiOrganizationRoutes } from "./openai-organization/index.ts";

/** The services' routes, and what some of them do while nobody waits. */
export function createServices(parts: InferenceProtocolParts & OpenaiOrganizationParts & ResponsesParts): Feature {
  const responses = createResponses(parts);
  return {
    routes: [
      ...inferenceProtocolRoutes(parts),
      ...imageClassificationRoutes(parts.deployments),
      ...openaiRoutes(parts),
      ...responses.routes,
      ...openaiOrganizationRoutes(parts),
    ],
    start: () => responses.start(),
    stop: () => responses.stop(),
  };
}
