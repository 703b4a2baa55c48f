/** @file What an engine needs of a chat: the prompt in pieces, what the answer is held to, and who reads the answer. */
import type { Constraint } from "../language/request.ts";
import type { ChatReader } from "./chat-reader.ts";
import type { Segment } from "./special-text.ts";
import { ChatTemplate, type TemplateTokens } from "./template.ts";

/** A chat, ready to be answered. */
export interface PreparedChat {
  /** The prompt. Its beginning token is written out where the template has one: add none. */
  readonly segments: readonly Segment[];
  /** What the answer is held to from its first token; takes the place of the request's. */
  readonly constraint?: Constraint;
  /** Texts at which the answer ends, those of the request and those that the template puts after an answer. */
  readonly stop: readonly string[];
  readonly reader: ChatReader;
}

/**
 * Reads a model's chat template.
 * @param tokens of the model's vocabulary.
 * @throws EngineRunError for a template that can't be parsed.
 */
export function readTemplate(source: string, tokens: TemplateTokens): ChatTemplate {
  return new ChatTemplate(source, tokens);
}
