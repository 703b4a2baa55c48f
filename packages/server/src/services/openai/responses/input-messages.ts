/** @file Pure: items of a response's input as messages of a chat. */
import type { ResponseInputItem, ResponseMessageItem } from "@gristmill/contract";
import type { ChatMessage, ContentPart, ToolCall } from "@gristmill/engine";
import { badField } from "../bad-field.ts";
import { imageOfDataUrl } from "../data-url.ts";

/** An item, and the field that brought it: "input.3". */
export interface PlacedItem {
  readonly item: ResponseInputItem;
  readonly field: string;
}

/** A message, and the field of the item that it begins with. */
export interface PlacedMessage {
  readonly message: ChatMessage;
  readonly field: string;
}

type Assistant = Extract<ChatMessage, { role: "assistant" }>;

/**
 * Calls join the message of the assistant that they follow, as chats have it; what a model thought is left out, because
 * models are not shown it again.
 * @throws AppError `request.invalid` for what a function gave without its call, and for images that can't be read.
 */
export function messagesOf(items: readonly PlacedItem[]): readonly PlacedMessage[] {
  const placed: { message: ChatMessage; field: string }[] = [];
  const calls = new Set<string>();
  for (const { item, field } of items) {
    if ("role" in item) placed.push({ message: messageOf(item, field), field });
    else if (item.type === "function_call") {
      calls.add(item.call_id);
      const call = { id: item.call_id, name: item.name, arguments: item.arguments };
      const last = placed.at(-1);
      if (last?.message.role === "assistant") last.message = withCall(last.message, call);
      else placed.push({ message: withCall({ role: "assistant", content: [], toolCalls: [] }, call), field });
    } else if (item.type === "function_call_output") {
      if (!calls.has(item.call_id)) throw badField(`${field}.call_id`, `no item before it is a call "${item.call_id}"`);
      const content = partsOf(item.output, `${field}.output`);
      placed.push({ message: { role: "tool", content, toolCallId: item.call_id }, field });
    }
  }
  return placed;
}

const withCall = (message: Assistant, call: ToolCall): Assistant => ({
  ...message,
  toolCalls: [...message.toolCalls, call],
});

function messageOf({ role, content }: ResponseMessageItem, field: string): ChatMessage {
  const parts = partsOf(content, `${field}.content`);
  if (role === "assistant") return { role, content: parts, toolCalls: [] };
  // A developer's message is what a system's was for older models; templates know the older name.
  return { role: role === "user" ? "user" : "system", content: parts };
}

/** A part of any item, as far as it is looked at here: the schema has refused all others. */
type Part = {
  readonly type: string;
  readonly text?: unknown;
  readonly refusal?: unknown;
  readonly image_url?: unknown;
};

function partsOf(content: string | readonly Part[], field: string): readonly ContentPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content.map((part, index): ContentPart => {
    if (typeof part.text === "string") return { type: "text", text: part.text };
    if (typeof part.refusal === "string") return { type: "text", text: part.refusal };
    if (typeof part.image_url === "string")
      return { type: "image", bytes: imageOfDataUrl(part.image_url, `${field}.${index}.image_url`) };
    throw badField(`${field}.${index}.type`, "this kind of part is not supported", "unsupported_parameter");
  });
}
