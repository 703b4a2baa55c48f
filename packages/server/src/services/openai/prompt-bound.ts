/**
 * @file Pure: how many tokens a prompt has at most, without asking the model. A token stands for a byte or more, so bytes are
 * a bound; what templates add is guessed generously, and the context bounds it all.
 */
import type { ChatRequest, ContentPart, Prompt } from "@gristmill/engine";

/** What a template writes around one message. */
const perMessage = 32;
/** A template's own words: a system message of its own, instructions for tools. */
const perChat = 1024;
/** Templates write schemas indented, and some models have a shorter word for nothing of that. */
const perSchemaByte = 4;

/** Of a text, or of tokens. The few more are those that begin and end a text. */
export const promptBound = (prompt: Prompt): number =>
  (typeof prompt === "string" ? Buffer.byteLength(prompt) : prompt.length) + 8;

/** Of a chat. Infinity where there are images, whose tokens only the model knows. */
export function chatBound({ messages, tools, templateVariables }: ChatRequest): number {
  const schemas = JSON.stringify([tools, templateVariables ?? null]);
  const said = messages.reduce((sum, message) => {
    const calls = message.role === "assistant" ? Buffer.byteLength(JSON.stringify(message.toolCalls)) : 0;
    return (
      sum + perMessage + calls * perSchemaByte + message.content.reduce((bytes, part) => bytes + partBound(part), 0)
    );
  }, 0);
  return perChat + said + Buffer.byteLength(schemas) * perSchemaByte;
}

const partBound = (part: ContentPart): number =>
  part.type === "text" ? Buffer.byteLength(part.text) : Number.POSITIVE_INFINITY;
