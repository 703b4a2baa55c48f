/** @file `GET /v1/models`: the language models that a key may use, by their deployments' names. */
import { AppError, type OpenaiModel, openaiModel, openaiModelList } from "@gristmill/contract";
import { z } from "zod";
import { type Caller, type Route, route } from "../../http/index.ts";
import type { DescribedModel, LanguageModels } from "./language-models.ts";
import { languageRoute } from "./shared.ts";

const { audit: _noChange, ...readRoute } = languageRoute;

/** Both routes. */
export const modelRoutes = (models: LanguageModels): readonly Route[] => [
  route({
    ...readRoute,
    method: "GET",
    path: "/v1/models",
    summary: "Language models that the key may use",
    model: () => undefined,
    charge: { free: "metadata" },
    response: openaiModelList,
    handler: async ({ caller }) => ({ body: { object: "list", data: (await usableBy(models, caller)).map(toWire) } }),
  }),
  route({
    ...readRoute,
    method: "GET",
    path: "/v1/models/:model",
    summary: "One language model",
    params: z.object({ model: z.string() }),
    model: ({ model }) => model,
    charge: { free: "metadata" },
    response: openaiModel,
    handler: async ({ caller, params: { model } }) => {
      const found = (await usableBy(models, caller)).find(({ name }) => name === model);
      if (found === undefined) throw new AppError("deployment.not_found", `There is no language model "${model}".`);
      return { body: toWire(found) };
    },
  }),
];

async function usableBy(
  models: LanguageModels,
  { projectId, models: allowed }: Caller,
): Promise<readonly DescribedModel[]> {
  const all = await models.describeAll(projectId);
  return all.filter(({ name, language }) => language !== null && (allowed === null || allowed.has(name)));
}

const toWire = ({ name, createdAt }: DescribedModel): OpenaiModel => ({
  id: name,
  object: "model",
  created: Math.floor(createdAt.getTime() / 1000),
  owned_by: "project",
});
