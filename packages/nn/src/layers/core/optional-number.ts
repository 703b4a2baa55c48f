import { type Field, numberWhere } from "../../schema/field.ts";

/** A number within bounds, or null for none, which it is when absent. */
export function optionalNumber(expected: string, holds: (value: number) => boolean): Field<number | null> {
  const inner = numberWhere(expected, holds);
  return {
    expected: `${expected}, or null for none`,
    fallback: null,
    read: (value, where, problems) => (value === null ? null : inner.read(value, where, problems)),
  };
}
