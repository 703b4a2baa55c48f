/**
 * @file Text of a request that reads like a special token must not become one: whoever may write into a message could
 * otherwise end it and speak as the system. Such places are hidden before a template is rendered and told apart afterwards.
 */
import { EngineRequestError } from "../errors.ts";

/** A piece of a prompt. */
export interface Segment {
  readonly text: string;
  /** Whether special tokens that the text names are meant; otherwise they are spelled out. */
  readonly special: boolean;
}

/** Code points that no text should have; the first that a request doesn't have marks the hidden places. */
const firstMark = 0xfdd0;
const lastMark = 0xfdef;
/** Levels of a value that a template gets: a cycle or a hostile value would exhaust the stack. */
const maxDepth = 100;

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** Finds any of the special tokens, the longest first; undefined where there are none. */
export function specialPattern(special: readonly string[]): RegExp | undefined {
  // Tokens of white space alone are ordinary text that some vocabularies list; to hide them would break templates that trim.
  const listed = [...new Set(special)].filter((token) => token.trim().length > 1);
  if (listed.length === 0) return undefined;
  return new RegExp(
    listed
      .sort((a, b) => b.length - a.length)
      .map(escaped)
      .join("|"),
    "gu",
  );
}

/** Hides special tokens in the strings of one request. */
export class SpecialText {
  readonly #pattern: RegExp | undefined;
  readonly #mark: string;
  readonly #hidden: string[] = [];

  /**
   * @param pattern of `specialPattern`.
   * @param everything all text of the request, so that the mark is none of it.
   * @throws EngineRequestError for a text that has every mark.
   */
  constructor(pattern: RegExp | undefined, everything: string) {
    this.#pattern = pattern;
    const marks = Array.from({ length: lastMark - firstMark + 1 }, (_, i) => String.fromCharCode(firstMark + i));
    const free = marks.find((mark) => !everything.includes(mark));
    if (free === undefined)
      throw new EngineRequestError("messages", "expected text, received all the noncharacters U+FDD0 to U+FDEF");
    this.#mark = free;
  }

  /** The text with its special tokens hidden, except those that are `meant`. */
  hide(text: string, meant: readonly string[] = []): string {
    if (this.#pattern === undefined) return text;
    return text.replace(this.#pattern, (token) => {
      if (meant.includes(token)) return token;
      this.#hidden.push(token);
      return `${this.#mark}${this.#hidden.length - 1}${this.#mark}`;
    });
  }

  /**
   * `hide` for every string within a value of JSON, its keys too.
   * @throws EngineRequestError that names the field, for a value that is nested too deeply.
   */
  hideAll(value: unknown, field: string, depth = 0): unknown {
    if (depth > maxDepth) throw new EngineRequestError(field, `expected at most ${maxDepth} levels, received more`);
    if (typeof value === "string") return this.hide(value);
    if (Array.isArray(value)) return value.map((item) => this.hideAll(item, field, depth + 1));
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value).map(([key, item]) => [this.hide(key), this.hideAll(item, field, depth + 1)]);
    return Object.fromEntries(entries);
  }

  /** The rendered text in pieces, with what was hidden in pieces of its own. */
  segments(rendered: string): readonly Segment[] {
    // Every second part is the number of a hidden token.
    return rendered
      .split(new RegExp(`${this.#mark}(\\d+)${this.#mark}`, "u"))
      .map((part, i) => (i % 2 === 0 ? { text: part, special: true } : { text: this.#token(part), special: false }))
      .filter(({ text }) => text !== "");
  }

  #token(index: string): string {
    return this.#hidden[Number(index)] ?? "";
  }
}
