/** @file The items of the responses before a response. */
import { AppError, type ResponseInputItem } from "@gristmill/contract";
import type { Caller } from "../../../http/index.ts";
import { badField } from "../bad-field.ts";
import type { ResponseStore } from "./store.ts";

/** Responses of one conversation, and their bytes as they are stored: what one request may make a server read. */
const maxLinks = 1000;
const maxBytes = 64 * 1024 * 1024;

const field = "previous_response_id";

/**
 * Items of a response and all before it, oldest first. Nothing is left out: a conversation that has lost a part is refused.
 * @throws AppError `response.not_found`; `request.invalid` for one that has not ended well or is too long.
 */
export async function conversationOf(
  store: ResponseStore,
  { projectId, models }: Caller,
  id: string,
): Promise<readonly ResponseInputItem[]> {
  const links = await store.chain(projectId, id, maxLinks, maxBytes);
  const last = links.at(-1);
  if (last === undefined || links.some(({ model }) => models !== null && !models.has(model))) throw missing(id);
  if (links.length > maxLinks || last.bytes > maxBytes)
    throw badField(field, `expected at most ${maxLinks} responses and ${maxBytes} bytes in a conversation`);
  if (last.previousId !== null) throw missing(last.previousId);
  for (const { id: one, status } of links)
    if (status !== "completed" && status !== "incomplete")
      throw badField(field, `expected a response that has ended well; ${one} is ${status}`);
  const ids = links.map((link) => link.id).toReversed();
  const stored = await store.findAll(projectId, ids);
  if (stored.length !== ids.length) throw missing(id);
  return stored.flatMap(({ input, response }) => [...input, ...(response.output as ResponseInputItem[])]);
}

const missing = (id: string): AppError =>
  new AppError("response.not_found", `There is no stored response "${id}".`, { details: { param: field } });
