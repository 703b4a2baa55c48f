/** @file Fields of a description: each reads one JSON value, or says what it expected. Defaults are Keras'. */
import { type Problems, shown } from "./problems.ts";
import { suggestion } from "./suggest.ts";

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Reads one value. `fallback` is the value of an absent field; without one the field is required. `D` is the fallback's
 * type: undefined where there is none, so that TypeScript knows which settings may be left out.
 */
export interface Field<T extends Json = Json, D extends T | undefined = T | undefined> {
  readonly expected: string;
  readonly fallback?: D;
  /** The value in its one normal form, or undefined after adding a problem. */
  read(value: unknown, where: string, problems: Problems): T | undefined;
}

/** The fields of one kind of thing, by name. */
export type Fields = Readonly<Record<string, Field>>;

/** The settings that fields read. */
export type ConfigOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A field that reads what `accept` gives back, and refuses what it answers with undefined. */
export function field<T extends Json, D extends T | undefined = undefined>(
  expected: string,
  accept: (value: unknown) => T | undefined,
  fallback?: D,
): Field<T, NoInfer<D>> {
  return {
    expected,
    ...(fallback === undefined ? {} : { fallback }),
    read(value, where, problems) {
      const read = accept(value);
      if (read === undefined) problems.add(where, `expected ${expected}, received ${shown(value)}`);
      return read;
    },
  };
}

// Far above any real layer, far below where products of a few of them lose exactness.
const largestSize = 2 ** 31 - 1;
const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= largestSize;

/** A whole number from 1. */
export const size = <D extends number | undefined = undefined>(fallback?: D): Field<number, NoInfer<D>> =>
  field("a whole number from 1", (value) => (isSize(value) ? value : undefined), fallback);

/** Sizes of one sample's axes; [] is one number, null a size that may differ from batch to batch. */
export const sampleShape = (): Field<readonly (number | null)[], undefined> =>
  field<readonly (number | null)[]>("sizes of one sample's axes, such as [28, 28, 1] or [null, 8]", (value) =>
    Array.isArray(value) && value.length <= 8 && value.every((size) => size === null || isSize(size))
      ? [...value]
      : undefined,
  );

/** true or false. */
export const flag = (fallback: boolean): Field<boolean, boolean> =>
  field("true or false", (value) => (typeof value === "boolean" ? value : undefined), fallback);

/** A number within bounds; which ends belong to it is said by the words. */
export const numberWhere = <D extends number | undefined = undefined>(
  expected: string,
  holds: (value: number) => boolean,
  fallback?: D,
): Field<number, NoInfer<D>> =>
  field(
    expected,
    (value) => (typeof value === "number" && Number.isFinite(value) && holds(value) ? value : undefined),
    fallback,
  );

/** Any finite number. */
export const anyNumber = <D extends number | undefined = undefined>(fallback?: D): Field<number, NoInfer<D>> =>
  numberWhere("a finite number", () => true, fallback);

/** A number above 0. */
export const positive = <D extends number | undefined = undefined>(fallback?: D): Field<number, NoInfer<D>> =>
  numberWhere("a number above 0", (value) => value > 0, fallback);

/** A number from 0 up to but without 1. */
export const fraction = <D extends number | undefined = undefined>(fallback?: D): Field<number, NoInfer<D>> =>
  numberWhere("a number from 0 up to but without 1", (value) => value >= 0 && value < 1, fallback);

/** A list of finite numbers that holds together, as the words say. */
export const listOf = <D extends readonly number[] | undefined = undefined>(
  expected: string,
  holds: (list: readonly number[]) => boolean,
  fallback?: D,
): Field<readonly number[], NoInfer<D>> =>
  field<readonly number[], D>(
    `a list of ${expected}`,
    (value) => {
      if (!Array.isArray(value) || !value.every((one) => typeof one === "number" && Number.isFinite(one)))
        return undefined;
      const list: readonly number[] = value;
      return holds(list) ? [...list] : undefined;
    },
    fallback,
  );

/** A list of words; `fallback` when left out. */
export const words = (
  expected: string,
  fallback: readonly string[] = [],
): Field<readonly string[], readonly string[]> =>
  field<readonly string[], readonly string[]>(
    `a list of ${expected}`,
    (value) => (Array.isArray(value) && value.every((one) => typeof one === "string") ? [...value] : undefined),
    fallback,
  );

/** A field that may be null for none, which it is when absent. */
export const optional = <T extends Json>(inner: Field<T>): Field<T | null, null> => ({
  expected: `${inner.expected}, or null for none`,
  fallback: null,
  read: (value, where, problems) => (value === null ? null : inner.read(value, where, problems)),
});

/** One of a few words; required. */
export function oneOf<const W extends string>(words: readonly W[]): Field<W, undefined>;
/** One of a few words; `fallback` when left out. */
export function oneOf<const W extends string>(words: readonly W[], fallback: W): Field<W, W>;
/** One of a few words, with a fallback or without. */
export function oneOf<const W extends string>(words: readonly W[], fallback?: W): Field<W> {
  const expected = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return {
    expected,
    ...(fallback === undefined ? {} : { fallback }),
    read(value, where, problems) {
      const word = words.find((known) => known === value);
      if (word === undefined) {
        const hint = typeof value === "string" ? suggestion(value, words) : "";
        problems.add(where, `expected ${expected}, received ${shown(value)}${hint}`);
      }
      return word;
    },
  };
}

/**
 * Reads all fields of an object: unknown ones, missing ones and wrong ones are each a problem.
 * @returns the settings, or undefined when anything was wrong.
 */
export function readFields<F extends Fields>(
  fields: F,
  raw: Readonly<Record<string, unknown>>,
  where: string,
  problems: Problems,
): ConfigOf<F> | undefined {
  const before = problems.count;
  const known = Object.keys(fields);
  for (const key of Object.keys(raw))
    if (!known.includes(key))
      problems.add(`${where}.${key}`, `unknown field${suggestion(key, known)}; expected ${known.join(", ") || "none"}`);
  const config: Record<string, Json> = {};
  for (const [key, { read, expected, fallback }] of Object.entries(fields)) {
    const value = raw[key];
    if (value !== undefined) {
      const got = read(value, `${where}.${key}`, problems);
      if (got !== undefined) config[key] = got;
    } else if (fallback !== undefined) config[key] = fallback;
    else problems.add(`${where}.${key}`, `expected ${expected}, received nothing: the field is required`);
  }
  // Every field was read or has its fallback, so the record has exactly the fields' types.
  return problems.count === before ? (config as ConfigOf<F>) : undefined;
}
