/** @file Free text up to a mark, as a grammar: the automaton of Aho and Corasick (1975), of which each state is a rule. */
import { choice, type Expression, empty, type Range, sequence, text } from "../grammar/expression.ts";
import type { GrammarBuilder } from "../grammar/grammar-builder.ts";

/** Any code point but these; none of them is a zero, which ends texts. */
export function otherThan(points: readonly number[]): Expression {
  const ranges: Range[] = [];
  let from = 0x01;
  for (const point of [...points].sort((a, b) => a - b)) {
    if (point > from) ranges.push([from, point - 1]);
    from = point + 1;
  }
  return { kind: "class", ranges: [...ranges, [from, 0x10ffff]] };
}

/** What may follow free text. */
export interface UntilMarkOptions {
  /** What follows each mark, without the mark; a mark that isn't here is never written. */
  readonly after: ReadonlyMap<string, Expression>;
  /** Whether the text may end without a mark. */
  readonly mayEnd: boolean;
}

/** Text in which none of the marks is but at its end, and what follows there. */
export function untilMark(
  marks: readonly string[],
  { after, mayEnd }: UntilMarkOptions,
  builder: GrammarBuilder,
): Expression {
  // A state is what was written of marks: the longest end of the text that begins one.
  const states = new Set(["", ...marks.flatMap((mark) => [...mark].map((_, i, all) => all.slice(0, i).join("")))]);
  const alphabet = [...new Set(marks.join(""))];
  const names = new Map([...states].map((state) => [state, builder.newName("text")]));
  const rule = (state: string): Expression => ({ kind: "rule", name: names.get(state) ?? "" });
  const next = (written: string): Expression | undefined => {
    const mark = marks.find((each) => written.endsWith(each));
    if (mark !== undefined) return after.get(mark);
    for (let rest = written; rest !== ""; rest = [...rest].slice(1).join("")) if (states.has(rest)) return rule(rest);
    return rule("");
  };
  const others = otherThan(alphabet.map((character) => character.codePointAt(0) ?? 0));
  for (const state of states) {
    const ways = alphabet.flatMap((character) => {
      const to = next(state + character);
      return to === undefined ? [] : [sequence(text(character), to)];
    });
    builder.define(names.get(state) ?? "", choice(...ways, sequence(others, rule("")), ...(mayEnd ? [empty] : [])));
  }
  return rule("");
}
