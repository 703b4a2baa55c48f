/** @file Grammars as values: what may be written, put together from few kinds. */

/** A set of texts. */
export type Expression =
  | { readonly kind: "text"; readonly text: string }
  /** One code point of these ranges, both ends within. */
  | { readonly kind: "class"; readonly ranges: readonly Range[] }
  | { readonly kind: "sequence"; readonly items: readonly Expression[] }
  | { readonly kind: "choice"; readonly items: readonly Expression[] }
  /** `max` may be Infinity. */
  | { readonly kind: "repeat"; readonly item: Expression; readonly min: number; readonly max: number }
  | { readonly kind: "rule"; readonly name: string };

/** Code points from the first to the second. */
export type Range = readonly [first: number, last: number];

/** Exactly this text. */
export function text(exact: string): Expression {
  return { kind: "text", text: exact };
}

/** The empty text. */
export const empty: Expression = text("");

/** One of the characters from the first to the last, both ends within; several pairs follow each other: "azAZ". */
export function characters(pairs: string): Expression {
  const points = [...pairs].map((character) => character.codePointAt(0) ?? 0);
  const ranges = points.flatMap((first, i): Range[] => (i % 2 === 0 ? [[first, points[i + 1] ?? first]] : []));
  return { kind: "class", ranges };
}

/** One after the other. */
export function sequence(...items: readonly Expression[]): Expression {
  const kept = items.filter((item) => item !== empty);
  return kept.length === 1 && kept[0] !== undefined ? kept[0] : { kind: "sequence", items: kept };
}

/** Any of them. */
export function choice(...items: readonly Expression[]): Expression {
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: "choice", items };
}

/** So many of them. */
export function repeat(item: Expression, min: number, max: number): Expression {
  return { kind: "repeat", item, min, max };
}

/** It or nothing. */
export function optional(item: Expression): Expression {
  return repeat(item, 0, 1);
}
