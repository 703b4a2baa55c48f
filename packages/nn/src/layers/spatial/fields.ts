/** @file Settings of layers over one, two or three axes: a number for all of them, or a list with one for each. */
import type { Field } from "../../schema/field.ts";
import { optional } from "../../schema/field.ts";
import { shown } from "../../schema/problems.ts";
import type { Rank } from "./window.ts";

const names: { readonly [R in Rank]: string } = {
  1: "",
  2: ", or two of them as [height, width]",
  3: ", or three of them as [depth, height, width]",
};

const largest = 2 ** 31 - 1;

/** Numbers for each axis, all from `least`. */
function list(rank: Rank, least: number, fallback: readonly number[] | undefined): Field<readonly number[]> {
  const expected = `a whole number from ${least}${names[rank]}`;
  const isGood = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= largest;
  return {
    expected,
    ...(fallback === undefined ? {} : { fallback }),
    read(value, where, problems) {
      const all: readonly unknown[] = Array.isArray(value) ? value : new Array(rank).fill(value);
      if (all.length === rank && all.every(isGood)) return [...all];
      problems.add(where, `expected ${expected}, received ${shown(value)}`);
      return undefined;
    },
  };
}

/** Whole numbers from 1, one for each axis. */
export const sizes = (rank: Rank, fallback?: number): Field<readonly number[]> =>
  list(rank, 1, fallback === undefined ? undefined : new Array<number>(rank).fill(fallback));

/** Sizes or null for none, which they are when absent. */
export const optionalSizes = (rank: Rank): Field<readonly number[] | null> => optional(sizes(rank));

/** Whole numbers from 0 or null for none, which they are when absent. */
export const optionalCounts = (rank: Rank): Field<readonly number[] | null> => optional(list(rank, 0, undefined));

/** How much is added or taken away at both ends of each axis: one number, one for each axis, or [before, after] for each. */
export function margins(rank: Rank, fallback: number): Field<readonly (readonly [number, number])[]> {
  const expected = `a whole number from 0${rank === 1 ? ", or [before, after]" : `${names[rank]}, each also as [before, after]`}`;
  const isWhole = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= largest;
  const pair = (value: unknown): readonly [number, number] | undefined => {
    if (isWhole(value)) return [value, value];
    const [before, after]: readonly unknown[] = Array.isArray(value) && value.length === 2 ? value : [];
    return isWhole(before) && isWhole(after) ? [before, after] : undefined;
  };
  return {
    expected,
    fallback: new Array<readonly [number, number]>(rank).fill([fallback, fallback]),
    read(value, where, problems) {
      const isPerAxis = Array.isArray(value) && (rank > 1 || (value.length === 1 && Array.isArray(value[0])));
      const entries: readonly unknown[] = isPerAxis ? value : new Array(rank).fill(value);
      const pairs = entries.flatMap((entry) => {
        const read = pair(entry);
        return read === undefined ? [] : [read];
      });
      if (entries.length === rank && pairs.length === rank) return pairs;
      problems.add(where, `expected ${expected}, received ${shown(value)}`);
      return undefined;
    },
  };
}
