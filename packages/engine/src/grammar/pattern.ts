/** @file Regular expressions as automata that may be in several states at once (Thompson, 1968). Only what is regular. */
import { EngineRequestError } from "../errors.ts";
import type { Range } from "./expression.ts";

/** A state: where its ranges of code points lead, and what it reaches without any. */
export interface PatternState {
  readonly moves: { readonly ranges: readonly Range[]; readonly to: number }[];
  readonly jumps: { readonly to: number; readonly only?: "start" | "end" }[];
}

/** An automaton; it begins in state 0, and takes a text that ends in state 1. */
export type Pattern = readonly PatternState[];

const maxStates = 20_000;
const last = 0x10ffff;
const digits: readonly Range[] = [[0x30, 0x39]];
const word: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const space: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const lineEnds: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const classes: Readonly<Record<string, readonly Range[]>> = {
  d: digits,
  D: except(digits),
  w: word,
  W: except(word),
  s: space,
  S: except(space),
};
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

/** All code points that aren't in the ranges. */
export function except(ranges: readonly Range[]): readonly Range[] {
  const left: Range[] = [];
  let from = 0;
  for (const [first, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (first > from) left.push([from, first - 1]);
    from = Math.max(from, end + 1);
  }
  return from > last ? left : [...left, [from, last]];
}

/** A part of an expression, which adds its states between two others. */
type Part = (from: number, to: number) => void;

/**
 * Reads a regular expression of ECMAScript (flag u) that may match anywhere in a text.
 * @throws EngineRequestError for one that is wrong, or uses what isn't regular: back references, assertions but ^ and $.
 */
export function readPattern(source: string, field: string): Pattern {
  return new PatternReader(source, field).read();
}

class PatternReader {
  readonly #source: string;
  readonly #field: string;
  readonly #states: PatternState[] = [];
  #at = 0;

  constructor(source: string, field: string) {
    this.#source = source;
    this.#field = field;
    try {
      new RegExp(source, "u");
    } catch (cause) {
      throw this.#refusal(cause instanceof Error ? cause.message : "expected a regular expression");
    }
  }

  read(): Pattern {
    const [start, end] = [this.#state(), this.#state()];
    const part = this.#alternatives(0);
    const [before, after] = [this.#state(), this.#state()];
    const any: readonly Range[] = [[0, last]];
    this.#states[start]?.jumps.push({ to: before });
    this.#states[before]?.moves.push({ ranges: any, to: before });
    this.#states[after]?.moves.push({ ranges: any, to: after });
    this.#states[after]?.jumps.push({ to: end });
    part(before, after);
    return this.#states;
  }

  #refusal(message: string): EngineRequestError {
    return new EngineRequestError(this.#field, `${message}, in ${JSON.stringify(this.#source)}`);
  }

  #state(): number {
    if (this.#states.length >= maxStates) throw this.#refusal("expected a smaller regular expression");
    return this.#states.push({ moves: [], jumps: [] }) - 1;
  }

  #jump(from: number, to: number, only?: "start" | "end"): void {
    this.#states[from]?.jumps.push(only === undefined ? { to } : { to, only });
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternatives(depth: number): Part {
    if (depth > 50) throw this.#refusal("expected at most 50 groups within each other");
    const ways = [this.#sequence(depth)];
    while (this.#takes("|")) ways.push(this.#sequence(depth));
    return (from, to) => {
      for (const way of ways) way(from, to);
    };
  }

  #sequence(depth: number): Part {
    const parts: Part[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at] ?? ""))
      parts.push(this.#repeated(this.#atom(depth)));
    return (from, to) => {
      let at = from;
      for (const part of parts) {
        const next = this.#state();
        part(at, next);
        at = next;
      }
      this.#jump(at, to);
    };
  }

  #repeated(part: Part): Part {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/u.exec(this.#source.slice(this.#at));
    if (found === null) return part;
    this.#at += found[0].length;
    const sign = found[0][0];
    const min = sign === "{" ? Number(found[1]) : sign === "+" ? 1 : 0;
    const open = found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3]);
    const max = sign === "{" ? (found[2] === "" ? min : open) : sign === "?" ? 1 : Number.POSITIVE_INFINITY;
    return (from, to) => {
      let at = from;
      const once = () => {
        const next = this.#state();
        part(at, next);
        at = next;
      };
      for (let i = 0; i < min; i++) once();
      if (max === Number.POSITIVE_INFINITY) {
        const loop = this.#state();
        this.#jump(at, loop);
        part(loop, loop);
        this.#jump(loop, to);
        return;
      }
      for (let i = min; i < max; i++) {
        this.#jump(at, to);
        once();
      }
      this.#jump(at, to);
    };
  }

  #atom(depth: number): Part {
    if (this.#takes("^")) return (from, to) => this.#jump(from, to, "start");
    if (this.#takes("$")) return (from, to) => this.#jump(from, to, "end");
    if (this.#takes("(")) {
      if (/^\?(?:[=!]|<[=!])/u.test(this.#source.slice(this.#at)))
        throw this.#refusal("a regular expression that looks ahead or behind isn't supported");
      this.#at += /^\?(?::|<\w+>)/u.exec(this.#source.slice(this.#at))?.[0].length ?? 0;
      if (this.#source[this.#at] === "?") throw this.#refusal("this kind of group isn't supported");
      const inner = this.#alternatives(depth + 1);
      this.#at++; // The parenthesis.
      return inner;
    }
    const ranges = this.#takes("[") ? this.#set() : this.#takes(".") ? except(lineEnds) : this.#character(false);
    return (from, to) => this.#states[from]?.moves.push({ ranges, to });
  }

  #set(): readonly Range[] {
    const isInverted = this.#takes("^");
    const ranges: Range[] = [];
    while (!this.#takes("]")) {
      const first = this.#character(true);
      const [low] = first;
      if (
        first.length === 1 &&
        low !== undefined &&
        low[0] === low[1] &&
        /^-[^\]]/u.test(this.#source.slice(this.#at))
      ) {
        this.#at++;
        const [high] = this.#character(true);
        ranges.push([low[0], high?.[1] ?? low[0]]);
      } else ranges.push(...first);
    }
    return isInverted ? except(ranges) : ranges;
  }

  #character(isInSet: boolean): readonly Range[] {
    const point = this.#source.codePointAt(this.#at) ?? 0;
    this.#at += point > 0xffff ? 2 : 1;
    if (point !== 0x5c) return [[point, point]];
    const rest = this.#source.slice(this.#at);
    const hexadecimal = /^(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]+)\})/u.exec(rest);
    if (hexadecimal !== null) {
      this.#at += hexadecimal[0].length;
      const code = Number.parseInt(hexadecimal[1] ?? hexadecimal[2] ?? hexadecimal[3] ?? "", 16);
      if (code >= 0xd800 && code <= 0xdfff)
        throw this.#refusal("halves of surrogate pairs aren't supported: write \\u{…}");
      return [[code, code]];
    }
    const letter = rest[0] ?? "";
    this.#at++;
    const named = classes[letter];
    if (named !== undefined) return named;
    const control = controls[letter];
    if (control !== undefined) return [[control, control]];
    if (isInSet && letter === "b") return [[8, 8]];
    if (/[A-Za-z\d]/u.test(letter)) throw this.#refusal(`\\${letter} isn't supported`);
    const escaped = letter.codePointAt(0) ?? 0;
    return [[escaped, escaped]];
  }
}
