/** @file A kind is one entry of a table (an optimizer, a loss, an initializer ...): its name, its fields, and what it makes. */
import { type ConfigOf, type Field, type Fields, type Json, optional, readFields } from "./field.ts";
import { isRecord, Problems, shown } from "./problems.ts";
import { suggestion } from "./suggest.ts";

/** What JSON says of a thing of some kind: its type and its settings. */
export type KindSpec = { readonly type: string; readonly [setting: string]: Json };

/** One entry of a table; `T` is what it makes. */
export interface Kind<T> {
  readonly type: string;
  readonly fields: Fields;
  /** The thing and its spec with every setting, or undefined after adding problems. */
  parse(settings: Readonly<Record<string, unknown>>, where: string, problems: Problems): Made<T> | undefined;
}

/** A thing and the JSON that makes it again. */
export interface Made<T> {
  readonly spec: KindSpec;
  readonly value: T;
}

/** What callers may write for a field: what it reads; for a thing of a kind also its name, or one already made. */
type Written<T> = T | (KindSpec extends T ? string | Made<unknown> : never);
type Setting<F> = F extends Field<infer T> ? Written<T> : never;
type Required<F> = F extends { readonly fallback?: undefined } ? true : false;

/** What callers may write for fields; those with a fallback may be left out. */
export type SettingsOf<F extends Fields> = {
  readonly [K in keyof F as Required<F[K]> extends true ? K : never]: Setting<F[K]>;
} & { readonly [K in keyof F as Required<F[K]> extends true ? never : K]?: Setting<F[K]> };

/**
 * A table's entry, which is also the function that people call: `cosineDecay({ initialLearningRate: 0.1, decaySteps: 500 })`.
 * Its settings may be left out when none of them is required.
 */
export type Maker<F extends Fields, T> = Kind<T> &
  ((...settings: object extends SettingsOf<F> ? [settings?: SettingsOf<F>] : [settings: SettingsOf<F>]) => Made<T>);

/** Entries by the name that specs use. */
export type KindTable<T> = Readonly<Record<string, Kind<T>>>;

/** Makes a table's entry from its fields and a function of their settings. */
export function defineKind<F extends Fields, T>(
  type: string,
  fields: F,
  make: (config: ConfigOf<F>) => T,
  /** Settings that are each right and together wrong. */
  check?: (config: ConfigOf<F>, where: string, problems: Problems) => void,
): Maker<F, T> {
  return makerOf<F, T>({
    type,
    fields,
    parse(settings, where, problems) {
      const before = problems.count;
      const config = readFields(fields, settings, where, problems);
      if (config !== undefined) check?.(config, where, problems);
      if (problems.count > before) return undefined;
      return config && { spec: { type, ...config }, value: make(config) };
    },
  });
}

/** The function that people call, from a table's entry. It throws a SpecError listing every problem of the settings. */
export function makerOf<F extends Fields, T>(kind: Kind<T>): Maker<F, T> {
  const make = (settings: object = {}): Made<T> => {
    const problems = new Problems();
    const made = kind.parse(dropUndefined(settings), kind.type, problems);
    problems.throwIfAny();
    if (made === undefined) throw new Error(`${kind.type}: made nothing and named no problem`);
    return made;
  };
  return Object.assign(make, kind);
}

/** Optional settings that a caller left undefined are absent. */
export const dropUndefined = (settings: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));

/**
 * Reads a thing of a table: its name, or an object with `type` and settings, or (from TypeScript) one already made.
 * @returns undefined after adding problems.
 */
export function parseKind<T>(
  table: KindTable<T>,
  noun: string,
  value: unknown,
  where: string,
  problems: Problems,
): Made<T> | undefined {
  const made = isRecord(value) && isRecord(value["spec"]) ? value["spec"] : value;
  const raw = typeof made === "string" ? { type: made } : made;
  const names = Object.keys(table);
  if (!isRecord(raw) || typeof raw["type"] !== "string") {
    problems.add(where, `expected the name of ${noun} or {"type": name, ...}, received ${shown(value)}`);
    return undefined;
  }
  const { type, ...settings } = raw;
  const kind = Object.hasOwn(table, String(type)) ? table[String(type)] : undefined;
  if (kind === undefined) {
    const hint = suggestion(String(type), names);
    problems.add(where, `unknown ${noun.replace(/^an? /, "")} ${shown(type)}${hint}; known: ${names.join(", ")}`);
    return undefined;
  }
  return kind.parse(settings, where, problems);
}

/** A field that holds a thing of a table; it is kept as its full spec. */
export function kindField<T>(table: KindTable<T>, noun: string, fallback?: string): Field<KindSpec> {
  const expected = `the name of ${noun} or {"type": name, ...}`;
  const read = (value: unknown, where: string, problems: Problems): KindSpec | undefined =>
    parseKind(table, noun, value, where, problems)?.spec;
  if (fallback === undefined) return { expected, read };
  const problems = new Problems();
  const spec = read(fallback, fallback, problems);
  problems.throwIfAny();
  return spec === undefined ? { expected, read } : { expected, read, fallback: spec };
}

/** A field that holds a thing of a table, or null for none, which it is when absent. */
export const optionalKindField = <T>(table: KindTable<T>, noun: string): Field<KindSpec | null, null> =>
  optional(kindField(table, noun));

/** The thing that a spec, already read, describes. */
export function madeFrom<T>(table: KindTable<T>, spec: KindSpec): T {
  const problems = new Problems();
  const made = parseKind(table, "a kind", spec, spec.type, problems);
  problems.throwIfAny();
  if (made === undefined) throw new Error(`${spec.type}: made nothing and named no problem`);
  return made.value;
}
