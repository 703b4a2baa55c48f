/** @file Pages of lists. */
import type { Page } from "@gristmill/contract";

/** A page from rows that were asked for with `limit + 1`: the one too many only says that there is more. */
export function pageOf<Row, Item extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
  toWire: (row: Row) => Item,
): Page<Item> {
  const data = rows.slice(0, limit).map(toWire);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: rows.length > limit,
  };
}
