/** @file Messages of a request as texts, checked, with special tokens hidden: what every form of a chat is made of. */
import { EngineRequestError } from "../errors.ts";
import type { ChatMessage, ContentPart, ToolCall } from "../language/request.ts";
import type { SpecialText } from "./special-text.ts";

/** A message with its content as one text. */
export interface PlainMessage {
  readonly role: ChatMessage["role"];
  readonly text: string;
  readonly name?: string;
  /** Of an assistant's message. */
  readonly toolCalls: readonly ToolCall[];
  /** Of a tool's message. */
  readonly toolCallId?: string;
}

/** Marks of thinking that clients send back within an answer: templates take it out by them. */
const meantInAnswers = ["<think>", "</think>", "[THINK]", "[/THINK]"];

/**
 * Reads the messages.
 * @throws EngineRequestError for no messages, images, and results of tools that no message before asked for.
 */
export function plainMessages(messages: readonly ChatMessage[], special: SpecialText): readonly PlainMessage[] {
  if (messages.length === 0) throw new EngineRequestError("messages", "expected at least one message, received none");
  const names = new Map<string, string>();
  return messages.map((message, i): PlainMessage => {
    const field = `messages[${i}]`;
    const text = textOf(message.content, field);
    if (message.role === "tool") {
      const name = names.get(message.toolCallId);
      if (name === undefined)
        throw new EngineRequestError(
          `${field}.toolCallId`,
          `expected the id of a tool call in a message before, received ${JSON.stringify(message.toolCallId)}`,
        );
      return { role: "tool", text: special.hide(text), name, toolCallId: message.toolCallId, toolCalls: [] };
    }
    const named = message.name === undefined ? {} : { name: special.hide(message.name) };
    if (message.role !== "assistant") return { role: message.role, text: special.hide(text), toolCalls: [], ...named };
    const toolCalls = message.toolCalls.map((call) => ({
      id: special.hide(call.id),
      name: special.hide(call.name),
      arguments: special.hide(call.arguments),
    }));
    message.toolCalls.forEach((call, k) => {
      names.set(call.id, toolCalls[k]?.name ?? call.name);
    });
    return { role: "assistant", text: special.hide(text, meantInAnswers), toolCalls, ...named };
  });
}

function textOf(content: readonly ContentPart[], field: string): string {
  return content
    .map((part, i) => {
      if (part.type === "text") return part.text;
      throw new EngineRequestError(`${field}.content[${i}]`, "expected text: this model reads no images");
    })
    .join("\n");
}

/** All text of a chat in which a mark must not be. */
export function allText(value: unknown): string {
  return JSON.stringify(value, (_, item) => (item instanceof Uint8Array ? undefined : item)) ?? "";
}
