/** @file A model's chat template: what it can do is found by trying it, since templates don't say. */
import { Template } from "@huggingface/jinja";
import { EngineRunError } from "../errors.ts";
import { specialPattern } from "./special-text.ts";

/** What a template may name of a vocabulary. */
export interface TemplateTokens {
  readonly bos: string;
  readonly eos: string;
  /** Control tokens, whose text must not come from a request's text. Tokens that users may write ("<tool_call>" in some vocabularies) are none. */
  readonly special: readonly string[];
}

/** A message as templates know it: role, content and what a role has besides. */
export type TemplateMessage = Readonly<Record<string, unknown>> & { readonly role: string };

/** How a template wants calls that were made before. */
export interface CallWriting {
  /** Arguments as a value; else as JSON text. */
  readonly argumentsAsValue: boolean;
  /** What the content of a message is that only calls. */
  readonly emptyContent: "" | null;
  /** Ids of exactly nine letters and digits. */
  readonly shortIds: boolean;
}

/** What a template can do. */
export interface TemplateAbilities {
  /** Content is a list of parts, never a text. */
  readonly contentAsParts: boolean;
  /** It tells the model which tools there are. */
  readonly tools: boolean;
  /** How it writes calls; undefined: not at all. */
  readonly calls: CallWriting | undefined;
  /** It writes the answers of tools. */
  readonly toolResults: boolean;
}

const writings: readonly CallWriting[] = [true, false].flatMap((argumentsAsValue) =>
  [false, true].flatMap((shortIds) =>
    (["", null] as const).map((emptyContent) => ({ argumentsAsValue, emptyContent, shortIds })),
  ),
);

const probe = { user: "qprobe", answer: "aprobe", tool: "tprobe", key: "kprobe", value: "vprobe", result: "rprobe" };
const probeTool = {
  type: "function",
  function: { name: probe.tool, description: "", parameters: { type: "object", properties: {} } },
};
/** The argument as JSON within JSON would have backslashes before its quotes. */
const probeArguments = new RegExp(`"${probe.key}": ?"${probe.value}"`, "u");

/** A chat template that could be parsed. Immutable. */
export class ChatTemplate {
  readonly source: string;
  readonly abilities: TemplateAbilities;
  /** Finds special tokens in text. */
  readonly special: RegExp | undefined;
  /** Special tokens that the template puts right after an answer. */
  readonly stops: readonly string[];
  readonly specialTokens: ReadonlySet<string>;
  readonly #template: Template;
  readonly #tokens: TemplateTokens;

  /** @throws EngineRunError for a template that can't be parsed. */
  constructor(source: string, tokens: TemplateTokens) {
    try {
      this.#template = new Template(source);
    } catch (cause) {
      throw new EngineRunError(`the model's chat template can't be parsed: ${messageOf(cause)}`, { cause });
    }
    this.source = source;
    this.#tokens = tokens;
    this.specialTokens = new Set(tokens.special);
    this.special = specialPattern(tokens.special);
    this.abilities = this.#findAbilities();
    this.stops = this.#findStops();
  }

  /**
   * The text of a chat.
   * @throws Error of the template: what it refuses, by its own words, or what in it doesn't work.
   */
  render(messages: readonly TemplateMessage[], { tools, variables, asksForAnswer = true }: RenderOptions = {}): string {
    return this.#template.render({
      ...variables,
      messages,
      tools: tools === undefined || tools.length === 0 ? null : tools,
      documents: null,
      add_generation_prompt: asksForAnswer,
      bos_token: this.#tokens.bos,
      eos_token: this.#tokens.eos,
    });
  }

  /** What a text is as content for this template. */
  content(text: string): unknown {
    return this.abilities.contentAsParts ? [{ type: "text", text }] : text;
  }

  #findAbilities(): TemplateAbilities {
    const parts = [{ type: "text", text: probe.user }];
    const plain: TemplateMessage = { role: "user", content: probe.user };
    const contentAsParts =
      !this.#shows(probe.user, [plain]) && this.#shows(probe.user, [{ role: "user", content: parts }]);
    const user = contentAsParts ? { role: "user", content: parts } : plain;
    const result = contentAsParts ? [{ type: "text", text: probe.result }] : probe.result;
    const tools = this.#shows(probe.tool, [user], [probeTool]);
    const calls = writings.find((writing) => this.#shows(probeArguments, [user, probeCall(writing)], [probeTool]));
    const toolResults =
      calls !== undefined &&
      this.#shows(
        probe.result,
        [user, probeCall(calls), { role: "tool", name: probe.tool, tool_call_id: probeId(calls), content: result }],
        [probeTool],
      );
    return { contentAsParts, tools, calls, toolResults };
  }

  #findStops(): readonly string[] {
    try {
      const messages = [
        { role: "user", content: this.content(probe.user) },
        { role: "assistant", content: this.content(probe.answer) },
      ];
      const rendered = this.render(messages, { asksForAnswer: false });
      const after = rendered.slice(rendered.lastIndexOf(probe.answer) + probe.answer.length).trimStart();
      const token = this.special === undefined ? undefined : [...after.matchAll(this.special)][0];
      return token?.index === 0 ? [token[0]] : [];
    } catch {
      return []; // A template that takes no answers says nothing about their end.
    }
  }

  #shows(sought: string | RegExp, messages: readonly TemplateMessage[], tools?: readonly unknown[]): boolean {
    try {
      const rendered = this.render(messages, tools === undefined ? {} : { tools });
      return typeof sought === "string" ? rendered.includes(sought) : sought.test(rendered);
    } catch {
      return false; // What makes a template fail is what it can't do.
    }
  }
}

/** What a rendering takes beside the messages. */
export interface RenderOptions {
  readonly tools?: readonly unknown[];
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The answer's head is added; true when left out. */
  readonly asksForAnswer?: boolean;
}

/** The message of anything that was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function probeId({ shortIds }: CallWriting): string {
  return shortIds ? "abcdefgh1" : "call_abcdefghijklmnopqrstuvwx";
}

function probeCall(writing: CallWriting): TemplateMessage {
  const value = { [probe.key]: probe.value };
  const call = { name: probe.tool, arguments: writing.argumentsAsValue ? value : JSON.stringify(value) };
  const calls = [{ id: probeId(writing), type: "function", function: call }];
  return { role: "assistant", content: writing.emptyContent, tool_calls: calls };
}
