/** @file Responses that are stored. */
import {
  AppError,
  deletedResponse,
  inputItemList,
  listInputItems,
  openaiResponse,
  retrieveResponse,
} from "@gristmill/contract";
import { z } from "zod";
import { type Caller, pageOf, type Route, route } from "../../../http/index.ts";
import { badField } from "../bad-field.ts";
import { languageRoute } from "../shared.ts";
import type { BackgroundResponses } from "./background.ts";
import type { ResponseStore, StoredResponse } from "./store.ts";

const { audit: _noChange, ...readRoute } = languageRoute;
const params = z.object({ response: z.string().max(128) });
const own = {
  params,
  // The handler looks at the key's list itself: the response names its model.
  model: () => undefined,
} as const;

/** Reading, deleting and cancelling. */
export const storedResponseRoutes = (store: ResponseStore, background: BackgroundResponses): readonly Route[] => [
  route({
    ...readRoute,
    ...own,
    method: "GET",
    path: "/v1/responses/:response",
    summary: "A stored response",
    query: retrieveResponse,
    charge: { free: "metadata" },
    response: openaiResponse,
    handler: async ({ caller, params: { response } }) => ({
      body: (await getStored(store, caller, response)).response,
    }),
  }),
  route({
    ...readRoute,
    ...own,
    method: "GET",
    path: "/v1/responses/:response/input_items",
    summary: "What a stored response was asked",
    query: listInputItems,
    charge: { free: "metadata" },
    response: inputItemList,
    handler: async ({ caller, params: { response }, query: { limit, order, after } }) => {
      const { input } = await getStored(store, caller, response);
      const items = input.map((item) => ({ ...item, id: String(item.id) }));
      const ordered = order === "asc" ? items : items.toReversed();
      const at = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after);
      if (after !== undefined && at === -1) throw badField("after", `there is no item "${after}"`);
      return { body: pageOf(ordered.slice(at + 1, at + 2 + limit), limit, (item) => item) };
    },
  }),
  route({
    ...languageRoute,
    ...own,
    method: "DELETE",
    path: "/v1/responses/:response",
    summary: "Delete a stored response; one under way is ended",
    charge: { free: "metadata" },
    response: deletedResponse,
    handler: async ({ caller, params: { response } }) => {
      const { id } = (await getStored(store, caller, response)).response;
      await background.cancel(caller.projectId, id);
      await store.delete(caller.projectId, id);
      return { body: { id, object: "response", deleted: true } };
    },
  }),
  route({
    ...languageRoute,
    ...own,
    method: "POST",
    path: "/v1/responses/:response/cancel",
    summary: "End a background response; one that has ended stays as it is",
    charge: { reserve: () => [] },
    response: openaiResponse,
    handler: async ({ caller, params: { response } }) => {
      const found = (await getStored(store, caller, response)).response;
      if (!found.background)
        throw new AppError("response.not_background", `The response "${found.id}" was not made in the background.`);
      await background.cancel(caller.projectId, found.id);
      return { body: (await getStored(store, caller, response)).response };
    },
  }),
];

/** @throws AppError `response.not_found`, also for one of a model that the caller may not use. */
async function getStored(store: ResponseStore, { projectId, models }: Caller, id: string): Promise<StoredResponse> {
  const found = await store.find(projectId, id);
  if (found !== undefined && (models === null || models.has(found.response.model))) return found;
  throw new AppError("response.not_found", `There is no stored response "${id}".`);
}
