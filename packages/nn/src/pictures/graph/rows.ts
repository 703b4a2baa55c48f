/** @file Rows of boxes, and of lanes: where an arrow passes by the rows between its boxes. */
import type { IndexedEdge } from "./description.ts";

/** A box or a lane in its row. */
export interface Item {
  /** The box; undefined for a lane. */
  readonly node: number | undefined;
  readonly rank: number;
  /** Items right above and below that arrows join it with. */
  readonly above: Item[];
  readonly below: Item[];
}

/** Rows from the top; within each from left to right. */
export interface Rows {
  readonly rows: Item[][];
  /** Of each edge: its box above, its lanes, its box below. */
  readonly chains: readonly (readonly Item[])[];
}

/** Boxes and lanes in rows, in the order in which a walk from the top meets them. */
export function makeRows(ranks: readonly number[], edges: readonly IndexedEdge[]): Rows {
  const items = ranks.map((rank, node): Item => ({ node, rank, above: [], below: [] }));
  const chains = edges.flatMap(([from, to]) => {
    const [first, last] = [items[from], items[to]];
    if (first === undefined || last === undefined) return [];
    const lanes = Array.from(
      { length: last.rank - first.rank - 1 },
      (_, i): Item => ({ node: undefined, rank: first.rank + 1 + i, above: [], below: [] }),
    );
    const chain = [first, ...lanes, last];
    for (const [i, item] of chain.slice(1).entries()) {
      const before = chain[i];
      if (before === undefined) continue;
      before.below.push(item);
      item.above.push(before);
    }
    return [chain];
  });
  const rows: Item[][] = Array.from({ length: ranks.reduce((most, rank) => Math.max(most, rank + 1), 0) }, () => []);
  const seen = new Set<Item>();
  // boxes before lanes: a lane then begins to the right of the boxes that it passes
  const walk = (start: Item): void => {
    const stack = [start];
    for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
      if (seen.has(item)) continue;
      seen.add(item);
      rows[item.rank]?.push(item);
      const [lanes, boxes] = [
        item.below.filter(({ node }) => node === undefined),
        item.below.filter(({ node }) => node !== undefined),
      ];
      stack.push(...lanes.toReversed(), ...boxes.toReversed());
    }
  };
  for (const item of items) if (item.above.length === 0) walk(item);
  return { rows: ordered(rows, chains), chains };
}

const sweeps = 12;
/** An arrow that changes sides reads worse than some crossings. */
const switchCost = 6;

/** Fewer crossings: rows are sorted by the mean place of their neighbours above, then below, and the best order is kept (Sugiyama et al. 1981). */
function ordered(start: readonly (readonly Item[])[], chains: readonly (readonly Item[])[]): Item[][] {
  const cost = (order: readonly (readonly Item[])[]): number =>
    crossings(order) + switchCost * sideSwitches(order, chains);
  let rows = start.map((row) => [...row]);
  let best = rows;
  let fewest = cost(rows);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const isDown = sweep % 2 === 0;
    const places = new Map(rows.flatMap((row) => row.map((item, i) => [item, i] as const)));
    rows = rows.map((row) => [...row]);
    for (const row of isDown ? rows : rows.toReversed()) {
      const keys = new Map(
        row.map((item) => [
          item,
          mean((isDown ? item.above : item.below).map((other) => places.get(other) ?? 0)) ?? places.get(item) ?? 0,
        ]),
      );
      row.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
      for (const [i, item] of row.entries()) places.set(item, i);
    }
    const count = cost(rows);
    if (count < fewest) [best, fewest] = [rows, count];
  }
  return best;
}

/** The mean; undefined of nothing. */
export const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

/** How often an arrow passes one row on the left of all boxes and the next on their right, or the other way round. */
function sideSwitches(rows: readonly (readonly Item[])[], chains: readonly (readonly Item[])[]): number {
  const sides = new Map<Item, number>();
  for (const row of rows) {
    const boxes = row.flatMap(({ node }, i) => (node === undefined ? [] : [i]));
    const [first, last] = [boxes[0] ?? 0, boxes.at(-1) ?? row.length];
    for (const [i, item] of row.entries())
      if (item.node === undefined) sides.set(item, i < first ? -1 : i > last ? 1 : 0);
  }
  let count = 0;
  for (const chain of chains)
    for (const [i, item] of chain.slice(2, -1).entries()) {
      const before = chain[i + 1];
      if (before !== undefined && (sides.get(item) ?? 0) * (sides.get(before) ?? 0) < 0) count++;
    }
  return count;
}

/** How many pairs of arrows cross between neighbouring rows. */
export function crossings(rows: readonly (readonly Item[])[]): number {
  let count = 0;
  for (const [i, row] of rows.slice(0, -1).entries()) {
    const places = new Map(rows[i + 1]?.map((item, at) => [item, at]));
    const ends = row.flatMap((item) => item.below.map((to) => places.get(to) ?? 0).sort((a, b) => a - b));
    for (const [a, end] of ends.entries()) for (let b = 0; b < a; b++) if ((ends[b] ?? 0) > end) count++;
  }
  return count;
}
