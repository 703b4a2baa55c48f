/** @file Rules with names, checked for what the engine can't run, and written in its notation (GBNF). */
import { EngineRequestError } from "../errors.ts";
import { choice, type Expression, empty, repeat, sequence, text } from "./expression.ts";

/** Characters of a grammar: the engine parses it in time that grows with its length. */
const maxLength = 1_000_000;
/** llama.cpp takes larger bounds for none at all; larger repetitions are made of blocks of this many. */
const block = 500;

/** Collects rules. */
export class GrammarBuilder {
  readonly #rules = new Map<string, Expression>();
  readonly #made = new Map<string, Expression | undefined>();
  readonly #field: string;
  #length = 0;
  #names = 0;

  /** @param field what errors name. */
  constructor(field: string) {
    this.#field = field;
  }

  /** A name that no rule has. */
  newName(hint: string): string {
    return `${hint}-${this.#names++}`;
  }

  /** Gives the name its rule. @throws EngineRequestError for a grammar that grows too large. */
  define(name: string, body: Expression): Expression {
    this.#rules.set(name, body);
    this.#length += sizeOf(body);
    if (this.#length > maxLength)
      throw new EngineRequestError(this.#field, `expected a grammar of at most ${maxLength} characters, received more`);
    return { kind: "rule", name };
  }

  /** A rule that is defined once, when it is first asked for. */
  shared(name: string, body: () => Expression): Expression {
    if (!this.#rules.has(name)) {
      this.#rules.set(name, empty); // So that a body may name itself.
      this.define(name, body());
    }
    return { kind: "rule", name };
  }

  /** What is made once for each key, however often it is asked for. */
  once(key: string, make: () => Expression | undefined): Expression | undefined {
    if (!this.#made.has(key)) this.#made.set(key, make());
    return this.#made.get(key);
  }

  /** So many of an item, also where the engine's notation has no such bounds. */
  repeated(item: Expression, min: number, max: number): Expression {
    if (max === 0) return empty;
    const one = isSmall(item) ? item : this.define(this.newName("item"), item);
    if (max <= block || (max === Number.POSITIVE_INFINITY && min <= block)) return repeat(one, min, max);
    if ((max === Number.POSITIVE_INFINITY ? min : max) > block * block)
      throw new EngineRequestError(this.#field, `expected bounds of at most ${block * block}, received more`);
    const blocks = this.define(this.newName("block"), repeat(one, block, block));
    const needed = sequence(
      repeat(blocks, Math.floor(min / block), Math.floor(min / block)),
      min % block === 0 ? empty : repeat(one, min % block, min % block),
    );
    if (max === Number.POSITIVE_INFINITY) return sequence(needed, repeat(one, 0, max));
    // A block and more, or less than a block: there are never more than two ways to go on.
    const less = this.define(this.newName("less"), repeat(one, 0, block - 1));
    let more: Expression = (max - min) % block === 0 ? empty : repeat(one, 0, (max - min) % block);
    for (let left = Math.floor((max - min) / block); left > 0; left--)
      more = this.define(this.newName("more"), choice(sequence(blocks, more), less));
    return min < block && min % block === 0 ? more : sequence(needed, more);
  }

  /**
   * The grammar.
   * @throws EngineRequestError where a rule has no end, or begins with itself.
   */
  print(root: Expression): string {
    this.define("root", root);
    this.#checkEnds();
    this.#checkBeginnings();
    return [...this.#rules].map(([name, body]) => `${name} ::= ${print(body, "choice")}\n`).join("");
  }

  /** Every rule has a text that is finite. */
  #checkEnds(): void {
    const ends = new Set<string>();
    const hasEnd = (expression: Expression): boolean => {
      switch (expression.kind) {
        case "text":
          return true;
        case "class":
          return expression.ranges.length > 0;
        case "sequence":
          return expression.items.every(hasEnd);
        case "choice":
          return expression.items.some(hasEnd);
        case "repeat":
          return expression.min === 0 || hasEnd(expression.item);
        case "rule":
          return ends.has(expression.name);
      }
    };
    for (let before = -1; before < ends.size; ) {
      before = ends.size;
      for (const [name, body] of this.#rules) if (hasEnd(body)) ends.add(name);
    }
    if (!ends.has("root"))
      throw new EngineRequestError(this.#field, "expected a value that ends, received one without end");
  }

  /** No rule begins with itself: the engine can't follow it. */
  #checkBeginnings(): void {
    const mayBeEmpty = (expression: Expression): boolean => {
      if (expression.kind === "text") return expression.text === "";
      if (expression.kind === "repeat") return expression.min === 0 || mayBeEmpty(expression.item);
      if (expression.kind === "sequence") return expression.items.every(mayBeEmpty);
      return expression.kind === "choice" && expression.items.some(mayBeEmpty);
    };
    const first = (expression: Expression): readonly string[] => {
      switch (expression.kind) {
        case "text":
        case "class":
          return [];
        case "rule":
          return [expression.name];
        case "repeat":
          return first(expression.item);
        case "choice":
          return expression.items.flatMap(first);
        case "sequence": {
          const end = expression.items.findIndex((item) => !mayBeEmpty(item));
          return expression.items.slice(0, end < 0 ? undefined : end + 1).flatMap(first);
        }
      }
    };
    const done = new Set<string>();
    const open = new Set<string>();
    // A stack of its own: rules may be as deep as the grammar is long.
    const stack = [...this.#rules.keys()].map((name) => ({ name, leaves: false }));
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const { name, leaves } = at;
      if (leaves) {
        open.delete(name);
        done.add(name);
      } else if (open.has(name)) {
        throw new EngineRequestError(this.#field, "expected references that lead to a value, received one to itself");
      } else if (!done.has(name)) {
        open.add(name);
        stack.push({ name, leaves: true });
        for (const next of first(this.#rules.get(name) ?? empty)) stack.push({ name: next, leaves: false });
      }
    }
  }
}

/** Whether a copy costs less than a rule. */
function isSmall(expression: Expression): boolean {
  return expression.kind === "rule" || expression.kind === "class";
}

function sizeOf(expression: Expression): number {
  switch (expression.kind) {
    case "text":
      return expression.text.length + 3;
    case "class":
      return expression.ranges.length * 8 + 2;
    case "rule":
      return expression.name.length + 1;
    case "repeat":
      return sizeOf(expression.item) + 6;
    case "sequence":
    case "choice":
      return expression.items.reduce((sum, item) => sum + sizeOf(item) + 1, 4);
  }
}

function point(code: number): string {
  const character = String.fromCodePoint(code);
  if (/^[A-Za-z0-9 _.:,;{}()<>|/+*=!?@#$%&'~`]$/u.test(character)) return character;
  if (code <= 0xff) return `\\x${code.toString(16).toUpperCase().padStart(2, "0")}`;
  if (code <= 0xffff) return `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return `\\U${code.toString(16).toUpperCase().padStart(8, "0")}`;
}

const escapes: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function print(expression: Expression, within: "choice" | "sequence" | "repeat"): string {
  switch (expression.kind) {
    case "text":
      return `"${[...expression.text].map((character) => escapes[character] ?? printable(character)).join("")}"`;
    case "class":
      return `[${expression.ranges.map(([a, b]) => (a === b ? point(a) : `${point(a)}-${point(b)}`)).join("")}]`;
    case "rule":
      return expression.name;
    case "repeat": {
      const { item, min, max } = expression;
      const bounds = min === max ? `{${min}}` : `{${min},${max === Number.POSITIVE_INFINITY ? "" : max}}`;
      return print(item, "repeat") + (min === 0 && max === 1 ? "?" : bounds);
    }
    case "sequence": {
      if (expression.items.length === 0) return '""';
      const written = expression.items.map((item) => print(item, "sequence")).join(" ");
      return within === "repeat" ? `(${written})` : written;
    }
    case "choice": {
      const written = expression.items.map((item) => print(item, "choice")).join(" | ");
      return within === "choice" ? written : `(${written})`;
    }
  }
}

function printable(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || code === 0x7f ? point(code) : character;
}

/** A text of JSON that stands for itself. */
export function jsonText(value: unknown): Expression {
  return text(JSON.stringify(value));
}
