/** @file Strings that match all of several patterns, as a grammar: the automaton that is in one state at a time. */
import { EngineRequestError } from "../errors.ts";
import { choice, type Expression, type Range, sequence, text } from "./expression.ts";
import type { GrammarBuilder } from "./grammar-builder.ts";
import type { Pattern } from "./pattern.ts";
import { plainRanges } from "./strings.ts";

const maxStates = 5000;

/** How many characters a string may have. */
export interface Lengths {
  readonly least: number;
  readonly most: number;
}

interface State {
  readonly sets: readonly (readonly number[])[];
  /** Characters so far, as far as it matters. */
  readonly length: number;
  readonly accepts: boolean;
  moves: { readonly ranges: Range[]; readonly to: string }[];
}

/**
 * The rest of a string from its first character on, with the quote that ends it; undefined where there is none.
 * Characters are written as themselves, and escaped only where they must be.
 * @throws EngineRequestError where that takes too many states.
 */
export function patternExpression(
  patterns: readonly Pattern[],
  { least, most }: Lengths,
  field: string,
  builder: GrammarBuilder,
): Expression | undefined {
  const counts = least > 0 || most !== Number.POSITIVE_INFINITY;
  const farthest = most === Number.POSITIVE_INFINITY ? least : most;
  const states = new Map<string, State>();
  const add = (sets: readonly (readonly number[])[], length: number, isFirst: boolean): string => {
    const key = `${isFirst ? "^" : ""}${length}:${sets.map((set) => set.join(",")).join(";")}`;
    if (states.has(key)) return key;
    if (states.size >= maxStates)
      throw new EngineRequestError(
        field,
        `expected an expression of at most ${maxStates} states, with its lengths; it has more`,
      );
    const matches = patterns.every((pattern, i) => closure(pattern, sets[i] ?? [], isFirst, true).includes(1));
    states.set(key, { sets, length, accepts: matches && length >= least, moves: [] });
    return key;
  };
  const first = add(
    patterns.map((pattern) => closure(pattern, [0], true, false)),
    0,
    true,
  );
  for (const state of states.values()) {
    if (counts && state.length >= most) continue;
    const length = counts ? Math.min(state.length + 1, farthest) : 0;
    const byTarget = new Map<string, Range[]>();
    for (const range of pieces(patterns, state.sets)) {
      const sets = patterns.map((pattern, i) => step(pattern, state.sets[i] ?? [], range[0]));
      if (sets.some((set) => set.length === 0)) continue;
      const to = add(sets, length, false);
      byTarget.set(to, [...(byTarget.get(to) ?? []), range]);
    }
    state.moves = [...byTarget].map(([to, ranges]) => ({ ranges, to }));
  }
  const living = leadingToEnds(states);
  if (!living.has(first)) return undefined;
  const names = new Map([...living].map((key) => [key, builder.newName("match")]));
  const rule = (key: string): Expression => ({ kind: "rule", name: names.get(key) ?? "" });
  for (const key of living) {
    const state = states.get(key);
    const ways = (state?.moves ?? [])
      .filter(({ to }) => living.has(to))
      .flatMap(({ ranges, to }) => writings(ranges).map((written) => sequence(written, rule(to))));
    builder.define(names.get(key) ?? "", choice(...ways, ...(state?.accepts === true ? [text('"')] : [])));
  }
  return rule(first);
}

/** All states that are reached without a character. */
function closure(pattern: Pattern, from: readonly number[], isStart: boolean, isEnd: boolean): readonly number[] {
  const reached = new Set(from);
  for (const state of reached)
    for (const { to, only } of pattern[state]?.jumps ?? [])
      if (only === undefined || (only === "start" ? isStart : isEnd)) reached.add(to);
  return [...reached].sort((a, b) => a - b);
}

function step(pattern: Pattern, from: readonly number[], point: number): readonly number[] {
  const reached = from.flatMap((state) =>
    (pattern[state]?.moves ?? [])
      .filter(({ ranges }) => ranges.some(([first, last]) => first <= point && point <= last))
      .map(({ to }) => to),
  );
  return closure(pattern, [...new Set(reached)], false, false);
}

/** Ranges within which all code points lead to the same states; without surrogates, which no text has. */
function pieces(patterns: readonly Pattern[], sets: readonly (readonly number[])[]): readonly Range[] {
  const cuts = new Set([0, 0xd800, 0xe000, 0x110000]);
  sets.forEach((set, i) => {
    for (const state of set)
      for (const { ranges } of patterns[i]?.[state]?.moves ?? [])
        for (const [first, last] of ranges) cuts.add(first).add(last + 1);
  });
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted
    .slice(1)
    .map((end, i): Range => [sorted[i] ?? 0, end - 1])
    .filter(([first]) => first < 0xd800 || first >= 0xe000);
}

/** States from which a string can end. */
function leadingToEnds(states: ReadonlyMap<string, State>): ReadonlySet<string> {
  const before = new Map<string, string[]>();
  for (const [key, { moves }] of states)
    for (const { to } of moves) {
      const earlier = before.get(to);
      if (earlier === undefined) before.set(to, [key]);
      else earlier.push(key);
    }
  const living = new Set([...states].filter(([, { accepts }]) => accepts).map(([key]) => key));
  for (const key of living) for (const earlier of before.get(key) ?? []) living.add(earlier);
  return living;
}

/** Characters that a string of JSON can't have as themselves. */
const escapedCharacters = [0x22, 0x5c, ...Array.from({ length: 0x20 }, (_, code) => code)].map((code) => ({
  code,
  written: text(JSON.stringify(String.fromCharCode(code)).slice(1, -1)),
}));

/** How code points are written in a string of JSON. */
function writings(ranges: readonly Range[]): readonly Expression[] {
  const plain = ranges.flatMap(([first, last]) =>
    plainRanges
      .map(([low, high]): Range => [Math.max(first, low), Math.min(last, high)])
      .filter(([low, high]) => low <= high),
  );
  const escaped = escapedCharacters
    .filter(({ code }) => ranges.some(([first, last]) => first <= code && code <= last))
    .map(({ written }) => written);
  return [
    ...(plain.length === 0 ? [] : [{ kind: "class", ranges: plain } as const]),
    ...(escaped.length === 0 ? [] : [choice(...escaped)]),
  ];
}
