/** @file Where boxes and lanes stand from left to right. */
import { type Item, mean, type Rows } from "./rows.ts";

/** Middle of each item from left to right. */
export type Columns = Map<Item, number>;

const boxGap = 28;
const laneGap = 14;
const rounds = 24;

/** A box stays where boxes want it; one that only lanes want somewhere gives way to it, and lanes give way to both. */
const weights = { box: 1e8, boxAtLanes: 1e4, lane: 1 };

/** Middles, so that boxes stand below each other where they can, nothing overlaps, and lanes are straight. */
export function columnsOf({ rows, chains }: Rows, widthOf: (item: Item) => number): Columns {
  const columns: Columns = new Map();
  const distance = (left: Item, right: Item): number => {
    const gap = left.node === undefined || right.node === undefined ? laneGap : boxGap;
    return (widthOf(left) + widthOf(right)) / 2 + gap;
  };
  for (const row of rows) {
    let x = 0;
    for (const [i, item] of row.entries()) {
      const before = row[i - 1];
      if (before !== undefined) x += distance(before, item);
      columns.set(item, x);
    }
  }
  for (let round = 0; round < rounds; round++) {
    const isDown = round % 2 === 0;
    for (const row of isDown ? rows : rows.toReversed()) {
      const placed = spread(
        row,
        row.map((item) => wantedPlace(item, isDown, columns)),
        distance,
      );
      for (const [i, item] of row.entries()) columns.set(item, placed[i] ?? 0);
    }
  }
  straighten({ rows, chains }, columns, distance);
  return columns;
}

/** Where an item wants to be, and how much. */
interface Wish {
  readonly x: number;
  readonly weight: number;
}

/** The mean of the boxes above (or below); of lanes, only when there is no box. */
function wantedPlace(item: Item, isDown: boolean, columns: Columns): Wish {
  const sideOf = (down: boolean): Item[] => (down ? item.above : item.below);
  const near = sideOf(isDown).length > 0 ? sideOf(isDown) : sideOf(!isDown);
  const boxes = near.filter(({ node }) => node !== undefined);
  const those = item.node !== undefined && boxes.length > 0 ? boxes : near;
  const x = mean(those.map((other) => columns.get(other) ?? 0)) ?? columns.get(item) ?? 0;
  if (item.node === undefined) return { x, weight: weights.lane };
  return { x, weight: boxes.length > 0 ? weights.box : weights.boxAtLanes };
}

/**
 * Places in the row's order, at least `distance` apart, with the least sum of weighted squared ways from where each wants
 * to be: isotonic regression by pooling neighbours that are out of order (Ayer et al. 1955).
 */
function spread(
  row: readonly Item[],
  wishes: readonly Wish[],
  distance: (left: Item, right: Item) => number,
): number[] {
  // without the distances that must lie between, places need only not fall
  let offset = 0;
  const offsets = row.map((item, i) => {
    const before = row[i - 1];
    if (before !== undefined) offset += distance(before, item);
    return offset;
  });
  const pools: { sum: number; weight: number; count: number }[] = [];
  for (const [i, { x, weight }] of wishes.entries()) {
    let pool = { sum: (x - (offsets[i] ?? 0)) * weight, weight, count: 1 };
    for (
      let before = pools.at(-1);
      before !== undefined && before.sum / before.weight >= pool.sum / pool.weight;
      before = pools.at(-1)
    ) {
      pools.pop();
      pool = { sum: pool.sum + before.sum, weight: pool.weight + before.weight, count: pool.count + before.count };
    }
    pools.push(pool);
  }
  const places = pools.flatMap(({ sum, weight, count }) => Array.from({ length: count }, () => sum / weight));
  return places.map((place, i) => place + (offsets[i] ?? 0));
}

/** Lanes of one arrow on one line, as far out as the widest box that they pass; those further out give way. */
function straighten({ rows, chains }: Rows, columns: Columns, distance: (left: Item, right: Item) => number): void {
  const rowOf = (item: Item): Item[] => rows[item.rank] ?? [];
  const lanes = chains.map((chain) => chain.slice(1, -1)).filter((chain) => chain.length > 0);
  const x = (item: Item): number => columns.get(item) ?? 0;
  for (const side of [1, -1]) {
    // the neighbour towards the middle on this side, and how far from it an item must be
    const inner = (item: Item): Item | undefined => rowOf(item)[rowOf(item).indexOf(item) - side];
    const away = (item: Item, other: Item): number => (side === 1 ? distance(other, item) : distance(item, other));
    const isOutside = (item: Item): boolean => {
      const row = rowOf(item);
      const further = side === 1 ? row.slice(row.indexOf(item) + 1) : row.slice(0, row.indexOf(item));
      return further.every(({ node }) => node === undefined);
    };
    const outer = lanes.filter((chain) => chain.every(isOutside));
    const settled = new Set<Item>();
    outer.sort((a, b) => side * (mean(a.map(x)) ?? 0) - side * (mean(b.map(x)) ?? 0));
    for (const chain of outer) {
      const least = chain.map((item) => {
        const other = inner(item);
        const isFixed = other !== undefined && (other.node !== undefined || settled.has(other));
        return isFixed ? side * x(other) + away(item, other) : Number.NEGATIVE_INFINITY;
      });
      const place = Math.max(...least);
      if (!Number.isFinite(place)) continue;
      for (const item of chain) {
        columns.set(item, side * place);
        settled.add(item);
      }
    }
  }
}
