/** @file The beginning of a tool call, up to its arguments; and the end of a JSON value that is still being written. */

/** What a text that may be a call's beginning is. */
export type CallHead =
  /** It may still become one. */
  | { readonly kind: "unfinished" }
  | { readonly kind: "malformed" }
  /** Its arguments begin at this place. */
  | { readonly kind: "begun"; readonly name: string; readonly argumentsAt: number }
  /** The whole object of the call ends before this place: its arguments came before its name, or as a text. */
  | { readonly kind: "whole"; readonly name: string; readonly arguments: string; readonly end: number };

const unfinished: CallHead = { kind: "unfinished" };
const malformed: CallHead = { kind: "malformed" };
/** Longer beginnings are text: they are read anew with each piece. */
const longestHead = 100_000;

const nameKeys = ["name", "tool_name"];
const argumentsKeys = ["arguments", "parameters"];
const otherKeys = ["type", "id", "tool_call_id"];

/** Follows one JSON value, character by character, to its end. */
export class ValueScanner {
  #depth: number;
  #isInText = false;
  #isEscaped = false;

  /** @param depth 1 where the opening bracket was read already. */
  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** The place after the object's or list's end in a text that goes on with it; undefined: it goes on. */
  endIn(text: string): number | undefined {
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#isInText && character === "\\") this.#isEscaped = true;
      else if (character === '"') this.#isInText = !this.#isInText;
      else if (this.#isInText) continue;
      else if (character === "{" || character === "[") this.#depth++;
      else if ((character === "}" || character === "]") && --this.#depth === 0) return i + 1;
    }
    return undefined;
  }
}

/** The head of a call whose name is in the same object as its arguments. */
export function readObjectHead(text: string, list: boolean, isTool: (name: string) => boolean): CallHead {
  if (text.length > longestHead) return malformed;
  const space = (at: number): number => at + (/^\s*/u.exec(text.slice(at))?.[0].length ?? 0);
  let at = space(0);
  if (list && text[at] === "[") at = space(at + 1);
  if (at === text.length) return unfinished;
  if (text[at] !== "{") return malformed;
  at = space(at + 1);
  let name: string | undefined;
  let written: string | undefined;
  for (;;) {
    if (at === text.length) return unfinished;
    if (text[at] === "}")
      return name === undefined || written === undefined
        ? malformed
        : { kind: "whole", name, arguments: written, end: at + 1 };
    const key = readText(text, at);
    if (key === undefined) return text[at] === '"' ? unfinished : malformed;
    at = space(key.end);
    if (at === text.length) return unfinished;
    if (text[at] !== ":") return malformed;
    at = space(at + 1);
    if (at === text.length) return unfinished;
    const isArguments = argumentsKeys.includes(key.value);
    if (isArguments && text[at] === "{") {
      if (name !== undefined) return { kind: "begun", name, argumentsAt: at };
      const end = new ValueScanner().endIn(text.slice(at));
      if (end === undefined) return unfinished;
      written = text.slice(at, at + end);
      at = space(at + end);
    } else {
      const value = readText(text, at);
      if (value === undefined) return text[at] === '"' ? unfinished : malformed;
      if (nameKeys.includes(key.value)) name = value.value;
      else if (isArguments) written = value.value;
      else if (!otherKeys.includes(key.value)) return malformed;
      if (name !== undefined && !isTool(name)) return malformed;
      at = space(value.end);
    }
    if (text[at] === ",") at = space(at + 1);
    else if (at < text.length && text[at] !== "}") return malformed;
  }
}

/** The head of a call whose name stands in the text before its arguments. */
export function readNamedHead(text: string, pattern: RegExp, isTool: (name: string) => boolean): CallHead {
  const brace = text.indexOf("{");
  // Names have 64 characters and marks few: what is longer has no call.
  if (brace < 0) return text.length > 1000 ? malformed : unfinished;
  const name = pattern.exec(text.slice(0, brace))?.groups?.["name"];
  return name !== undefined && isTool(name) ? { kind: "begun", name, argumentsAt: brace } : malformed;
}

/** The string of JSON at a place; undefined where there is none or it has no end yet. */
function readText(text: string, at: number): { value: string; end: number } | undefined {
  const raw = /^"(?:[^"\\]|\\.)*"/su.exec(text.slice(at))?.[0];
  if (raw === undefined) return undefined;
  try {
    return { value: JSON.parse(raw) as string, end: at + raw.length };
  } catch {
    return { value: "", end: at + raw.length }; // A wrong escape: no name is empty, so the call is malformed.
  }
}
