/** @file What an engine needs of a chat: the prompt in pieces, what the answer is held to, and who reads the answer. */
import { randomInt } from "node:crypto";
import { EngineRequestError } from "../errors.ts";
import type { ChatRequest, Constraint } from "../language/request.ts";
import { answerConstraint } from "./answer-grammar.ts";
import { AnswerReader } from "./answer-reader.ts";
import type { ChatReader } from "./chat-reader.ts";
import { renderChat } from "./render-chat.ts";
import type { Segment } from "./special-text.ts";
import { ChatTemplate, type TemplateTokens } from "./template.ts";
import { genericFormat, type ToolFormat, toolFormats } from "./tool-formats.ts";

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

/** How models mark their thinking: what opens it and what ends it. */
const thinkingMarks = [
  ["<think>", "</think>"],
  ["[THINK]", "[/THINK]"],
  ["<|START_THINKING|>", "<|END_THINKING|>"],
  ["<seed:think>", "</seed:think>"],
] as const;

/** What prepareChat takes from outside. */
export interface PrepareChatOptions {
  /** Names calls; "call_" and 24 random letters when left out. */
  readonly newCallId?: () => string;
}

/**
 * Makes a chat ready.
 * @throws EngineRequestError for what the model's template can't say, or what the answer can't be held to.
 */
export function prepareChat(
  template: ChatTemplate,
  request: ChatRequest,
  options: PrepareChatOptions = {},
): PreparedChat {
  checkTools(request);
  const native = nativeFormat(template, request);
  const rendered = renderChat(template, request, native === undefined ? "instructions" : "native");
  const format = native ?? genericFormat;
  const mayCall = request.tools.length > 0 && request.toolChoice !== "none";
  const marks = thinkingMarks.find(
    ([open, close]) => template.source.includes(open) || template.source.includes(close),
  );
  const thinking = marks && { open: marks[0], close: marks[1], isOpen: rendered.ending.trimEnd().endsWith(marks[0]) };
  const constraint = answerConstraint({ request, format: mayCall ? format : undefined, thinking });
  // A grammar of the caller's own holds the whole answer: there is no room for thinking.
  const isWhole = constraint !== undefined && constraint === request.constraint && constraint.type === "grammar";
  const noThought = isWhole && thinking?.isOpen === true ? [{ text: `\n${thinking.close}\n\n`, special: true }] : [];
  const endsAfterCall = mayCall && !request.parallelToolCalls && format.ending !== undefined ? [format.ending] : [];
  const reader = new AnswerReader({
    thinking: isWhole ? undefined : thinking,
    calls: mayCall ? { format, names: new Set(request.tools.map(({ name }) => name)) } : undefined,
    special: template.specialTokens,
    newCallId: options.newCallId ?? randomCallId,
  });
  const stop = [...new Set([...request.stop, ...template.stops, ...endsAfterCall])];
  const segments = [...rendered.segments, ...noThought];
  return { segments, stop, reader, ...(constraint === undefined ? {} : { constraint }) };
}

/** The format that the template teaches; undefined where our own words must. */
function nativeFormat({ abilities, source }: ChatTemplate, request: ChatRequest): ToolFormat | undefined {
  const format = toolFormats.find((candidate) => candidate.taughtBy(source));
  const saysHistory = abilities.calls !== undefined && abilities.toolResults;
  const needsTools = request.tools.length > 0 && request.toolChoice !== "none";
  return saysHistory && (abilities.tools || !needsTools) ? format : undefined;
}

function checkTools({ tools, toolChoice }: ChatRequest): void {
  const names = tools.map(({ name }) => name);
  tools.forEach(({ name }, i) => {
    if (!/^[\w.-]{1,64}$/u.test(name))
      throw new EngineRequestError(
        `tools[${i}].name`,
        `expected 1 to 64 letters, digits, underscores, dots or dashes, received ${JSON.stringify(name)}`,
      );
    if (names.indexOf(name) !== i)
      throw new EngineRequestError(`tools[${i}].name`, `expected names that differ, received ${name} twice`);
  });
  if (toolChoice === "required" && tools.length === 0)
    throw new EngineRequestError("toolChoice", "expected tools where one is required, received none");
  if (typeof toolChoice === "object" && !names.includes(toolChoice.name))
    throw new EngineRequestError(
      "toolChoice",
      `expected one of the tools, received ${JSON.stringify(toolChoice.name)}`,
    );
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function randomCallId(): string {
  return `call_${Array.from({ length: 24 }, () => letters[randomInt(letters.length)]).join("")}`;
}
