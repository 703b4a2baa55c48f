/** @file OpenAI's routes of language models. Read in this order: chat-routes, chat-request, answer-generation, generations, chat-answer. */
import type { Route } from "../../http/index.ts";
import { chatRoute } from "./chat-routes.ts";
import { completionRoute } from "./completion-routes.ts";
import { embeddingRoutes } from "./embedding-routes.ts";
import type { LanguageModels } from "./language-models.ts";
import { modelRoutes } from "./model-routes.ts";

export type { LanguageModels } from "./language-models.ts";

/** What the routes need. */
export interface OpenaiParts {
  readonly deployments: LanguageModels;
}

/** All of them. */
export const openaiRoutes = ({ deployments }: OpenaiParts): readonly Route[] => [
  chatRoute(deployments),
  completionRoute(deployments),
  ...embeddingRoutes(deployments),
  ...modelRoutes(deployments),
];
