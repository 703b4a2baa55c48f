/** @file Messages of a request as the template's text. Templates that refuse a chat get it again in forms that say the same. */
import { createHash } from "node:crypto";
import { EngineRequestError } from "../errors.ts";
import type { ChatRequest } from "../language/request.ts";
import { allText, type PlainMessage, plainMessages } from "./messages.ts";
import { type Segment, SpecialText } from "./special-text.ts";
import { type ChatTemplate, messageOf, type RenderOptions, type TemplateMessage } from "./template.ts";
import { describeTools, writeCalls, writeResult } from "./tool-instructions.ts";

/** How tools come into the prompt: by the template, or by our own words in the system message. */
export type ToolTelling = "native" | "instructions";

/** A prompt. */
export interface RenderedChat {
  readonly segments: readonly Segment[];
  /** How it ends: some templates begin the answer. */
  readonly ending: string;
}

const noArguments = { type: "object", properties: {} };

/** Renders a chat. @throws EngineRequestError for what the template can't say, or what is no chat. */
export function renderChat(template: ChatTemplate, request: ChatRequest, telling: ToolTelling): RenderedChat {
  const { messages, tools, templateVariables = {} } = request;
  const special = new SpecialText(template.special, allText([messages, tools, templateVariables]));
  const offered = (request.toolChoice === "none" ? [] : tools).map((tool, i) => ({
    ...tool,
    name: special.hide(tool.name),
    description: special.hide(tool.description ?? ""),
    parameters: special.hideAll(tool.parameters ?? noArguments, `tools[${i}].parameters`),
  }));
  const plain = plainMessages(messages, special);
  const options = {
    variables: Object.fromEntries(
      Object.entries(templateVariables).map(([key, value]) => [key, special.hideAll(value, "templateVariables")]),
    ),
  };
  const rendered =
    telling === "native"
      ? firstThatSaysAll(template, plain, {
          ...options,
          tools: offered.map(({ name, description, parameters }) => ({
            type: "function",
            function: { name, description, parameters },
          })),
        })
      : firstThatSaysAll(
          template,
          inWords(plain, offered.length === 0 ? "" : describeTools(offered, request)),
          options,
        );
  return { segments: special.segments(rendered), ending: rendered.slice(-100) };
}

/** Calls and results as texts, and instructions at the end of the first system message. */
function inWords(messages: readonly PlainMessage[], instructions: string): readonly PlainMessage[] {
  const written = messages.map((message): PlainMessage => {
    if (message.role === "tool") return { role: "user", text: writeResult(message.text), toolCalls: [] };
    if (message.toolCalls.length === 0) return message;
    const text = [message.text, writeCalls(message.toolCalls)].filter((part) => part !== "").join("\n");
    return { ...message, text, toolCalls: [] };
  });
  if (instructions === "") return written;
  const [first, ...rest] = written;
  if (first?.role === "system") return [{ ...first, text: `${first.text}\n\n${instructions}` }, ...rest];
  return [{ role: "system", text: instructions, toolCalls: [] }, ...written];
}

type Form = (messages: readonly PlainMessage[]) => readonly PlainMessage[];

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

/** All that the system says, in one message at the front. */
const systemFirst: Form = (messages) => {
  const system = messages.filter(({ role }) => role === "system");
  if (system.length === 0) return messages;
  const text = joined(system.map((message) => message.text));
  return [{ role: "system", text, toolCalls: [] }, ...messages.filter(({ role }) => role !== "system")];
};

/** Messages of one role that follow each other, as one; those with calls and results stay as they are. */
const alternating: Form = (messages) => {
  const merged: PlainMessage[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    const mayMerge = message.role !== "tool" && message.toolCalls.length === 0 && last?.toolCalls.length === 0;
    if (mayMerge && last.role === message.role)
      merged[merged.length - 1] = { ...last, text: joined([last.text, message.text]) };
    else merged.push(message);
  }
  return merged;
};

/** What the system says, at the front of what the user says first. */
const systemInUser: Form = (messages) => {
  const [system, ...rest] = systemFirst(messages);
  if (system?.role !== "system") return messages;
  const at = rest.findIndex(({ role }) => role === "user");
  const user = rest[at];
  if (user === undefined) return [{ ...system, role: "user" }, ...rest];
  return rest.with(at, { ...user, text: joined([system.text, user.text]) });
};

const forms: readonly Form[] = [
  (messages) => messages,
  systemFirst,
  (messages) => alternating(systemFirst(messages)),
  (messages) => alternating(systemInUser(messages)),
];

/**
 * The first form that the template takes and in which it says all that system and user said: some templates leave out what
 * they don't know, without a word. Where none says all, the first that it takes: the template changes texts itself then.
 */
function firstThatSaysAll(template: ChatTemplate, messages: readonly PlainMessage[], options: RenderOptions): string {
  let taken: string | undefined;
  let refusal: unknown;
  for (const form of forms) {
    const formed = form(messages);
    try {
      const rendered = template.render(
        formed.map((message) => toTemplate(message, template)),
        options,
      );
      const says = ({ role, text }: PlainMessage) =>
        (role !== "system" && role !== "user") || rendered.includes(text.trim());
      if (formed.every(says)) return rendered;
      taken ??= rendered;
    } catch (cause) {
      refusal ??= cause;
    }
  }
  if (taken !== undefined) return taken;
  throw new EngineRequestError("messages", `the model's chat template refuses them: ${messageOf(refusal)}`);
}

function toTemplate(
  { role, text, name, toolCalls, toolCallId }: PlainMessage,
  template: ChatTemplate,
): TemplateMessage {
  const { calls } = template.abilities;
  const id = (own: string) => (calls?.shortIds === true ? shortId(own) : own);
  const named = name === undefined ? {} : { name };
  if (role === "tool") return { role, content: template.content(text), tool_call_id: id(toolCallId ?? ""), ...named };
  if (calls === undefined || toolCalls.length === 0) return { role, content: template.content(text), ...named };
  const written = toolCalls.map((call) => ({
    id: id(call.id),
    type: "function",
    function: { name: call.name, arguments: calls.argumentsAsValue ? parsedArguments(call.arguments) : call.arguments },
  }));
  return { role, content: text === "" ? calls.emptyContent : template.content(text), tool_calls: written, ...named };
}

/** Arguments as a value; as they are where a model wrote no JSON. */
function parsedArguments(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

/** Nine letters and digits for an id, always the same ones. */
function shortId(id: string): string {
  if (/^[A-Za-z0-9]{9}$/u.test(id)) return id;
  const number = createHash("sha256").update(id).digest().readBigUInt64BE();
  return number.toString(36).padStart(9, "0").slice(-9);
}
