/** @file What callers call samples: tensors, typed arrays with sizes, nested lists; alone or by name. Every misfit is told by its place. */
import { DataError } from "../errors.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { elementsOf, type NamedSamples, type NestedNumbers } from "./source.ts";

/** Samples with their sizes, first axis the count. */
export interface Sized {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
  readonly scale: number;
}

const isNested = (value: unknown): value is NestedNumbers => Array.isArray(value);
const isNumbers = (value: unknown): value is ArrayLike<number> | ArrayLike<bigint> =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** What an argument is, in a word or as it is when short. */
const kindOf = (value: unknown): string =>
  isNumbers(value) ? `a ${value.constructor.name} without sizes` : isRecord(value) ? "an object" : shown(value);

/** Sizes and numbers of nested lists. @throws DataError when they are ragged, naming the first place that differs */
function flatten(nested: NestedNumbers, what: string): Sized {
  const shape: number[] = [];
  for (let at: unknown = nested; isNested(at); at = at[0]) shape.push(at.length);
  const data: number[] = [];
  const visit = (value: unknown, place: readonly number[]): void => {
    const size = shape[place.length];
    if (size === undefined && typeof value === "number") data.push(value);
    else if (size !== undefined && isNested(value) && value.length === size)
      for (const [i, item] of value.entries()) visit(item, [...place, i]);
    else {
      const expected = size === undefined ? "a number" : `a list of ${size}, as the first has`;
      const received = isNested(value) ? `a list of ${value.length}` : shown(value);
      throw new DataError(
        `${what}: expected lists of equal length with numbers inside, [${shape.join(", ")}]; ${what}[${place.join("][")}] differs: expected ${expected}, received ${received}`,
      );
    }
  };
  visit(nested, []);
  return { shape, data: Float64Array.from(data), scale: 1 };
}

/** Reads samples. @throws DataError when they are no samples, or sizes and data differ. */
function readSamples(value: unknown, what: string): Sized {
  if (isNested(value)) return flatten(value, what);
  const data = isRecord(value) ? value["data"] : undefined;
  const shape = isRecord(value) ? value["shape"] : undefined;
  if (!isRecord(value) || !isNumbers(data) || !Array.isArray(shape) || shape.length === 0)
    throw new DataError(
      `${what}: expected a tensor, { shape, data } with a typed array, or nested lists of numbers; received ${kindOf(value)}`,
    );
  const sizes: number[] = shape.map(Number);
  if (elementsOf(sizes) !== data.length)
    throw new DataError(
      `${what}: expected ${elementsOf(sizes)} numbers for [${sizes.join(", ")}], received ${data.length}`,
    );
  const scale = value["scale"] ?? 1;
  if (typeof scale !== "number" || !Number.isFinite(scale))
    throw new DataError(`${what}: expected scale to be a finite number, received ${shown(scale)}`);
  return { shape: sizes, data, scale };
}

/**
 * Samples by name; those without a name belong to the only one. `some`: names may be missing.
 * @throws DataError when names differ from `names`
 */
export function byName(
  data: NamedSamples | undefined,
  names: readonly string[],
  what: string,
  { some = false }: { readonly some?: boolean } = {},
): Map<string, Sized> {
  const isOne = isNested(data) || !isRecord(data) || isNumbers(data) || "data" in data;
  const [only = ""] = names;
  if (isOne) {
    if (names.length !== 1)
      throw new DataError(
        `${what}: expected samples by name, { ${names.join(", ")} }, received ${isNested(data) ? "one array" : kindOf(data)}`,
      );
    return new Map([[only, readSamples(data, what)]]);
  }
  const given = Object.entries(data);
  const unknown = given.some(([name]) => !names.includes(name));
  if (unknown || (!some && given.length !== names.length)) {
    const received = given.map(([name]) => name).join(", ");
    throw new DataError(`${what}: expected ${names.join(", ")}, received ${received === "" ? "none" : received}`);
  }
  return new Map(given.map(([name, samples]) => [name, readSamples(samples, `${what}/${name}`)]));
}
