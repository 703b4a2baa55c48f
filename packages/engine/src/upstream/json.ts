/** @file Reading JSON of somebody else: what is not of the expected kind is as if it were not there. */

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An object. */
export const asObject = (value: unknown): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;

/** A list. */
export const asArray = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

/** Empty text is as good as none: servers write both for "nothing". */
export const asText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A finite number. */
export const asNumber = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** A count: whole and not negative. */
export const asCount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** The first of some places of an object that holds a count. */
export function firstCount(object: JsonObject | undefined, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const count = asCount(object?.[name]);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** JSON; undefined for anything else. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever asks says where the text came from.
    return undefined;
  }
}
