/**
 * @file Amounts as curves over use: straight pieces that follow each other. Tiers of both kinds, a price for each unit and
 * free use are all curves, so that what holds for curves (no gap, no overlap, the most that more use can cost) holds for all.
 */
import type { PriceTier } from "@gristmill/contract";
import Big from "big.js";

/** A straight piece of a curve, over `from` (exclusive) to `upTo` (inclusive). */
interface Piece {
  readonly from: Big;
  /** null: without end. */
  readonly upTo: Big | null;
  /** The amount right after `from`. */
  readonly start: Big;
  /** For each unit beyond `from`. */
  readonly unit: Big;
}

/** Pieces from zero to infinity, each beginning where the one before ends. Nothing used costs nothing. */
export type Curve = readonly Piece[];

const zero = new Big(0);

/** Each unit costs the same. */
export const straight = (unit: Big): Curve => [{ from: zero, upTo: null, start: zero, unit }];

/** Each unit costs what its own tier says; a tier's flat amount is added when the tier is entered. */
export function graduated(tiers: readonly PriceTier[]): Curve {
  const pieces: Piece[] = [];
  for (const tier of tiers) {
    const last = pieces.at(-1);
    const from = last?.upTo ?? zero;
    const start = (last === undefined ? zero : along(last, from)).plus(tier.flat);
    pieces.push({ from, upTo: endOf(tier), start, unit: new Big(tier.unit) });
  }
  return pieces;
}

/** All units cost what the tier that the sum lies in says, and its flat amount once. */
export function volume(tiers: readonly PriceTier[]): Curve {
  const pieces: Piece[] = [];
  for (const tier of tiers) {
    const from = pieces.at(-1)?.upTo ?? zero;
    const unit = new Big(tier.unit);
    pieces.push({ from, upTo: endOf(tier), start: unit.times(from).plus(tier.flat), unit });
  }
  return pieces;
}

/** The same curve after so much that costs nothing. */
export function afterFree(curve: Curve, free: Big): Curve {
  if (free.eq(zero)) return curve;
  const moved = curve.map((piece) => ({
    ...piece,
    from: piece.from.plus(free),
    upTo: piece.upTo?.plus(free) ?? null,
  }));
  return [{ from: zero, upTo: free, start: zero, unit: zero }, ...moved];
}

/** The amount at so much use. Below zero (more was taken back than used) it mirrors the curve: what it cost comes back. */
export function at(curve: Curve, use: Big): Big {
  if (use.lt(zero)) return at(curve, use.times(-1)).times(-1);
  return use.eq(zero)
    ? zero
    : along(
        pieceOf(curve, (upTo) => use.lte(upTo)),
        use,
      );
}

/** The amount at a little more than so much use: the other side of a step. */
const justAfter = (curve: Curve, use: Big): Big =>
  along(
    pieceOf(curve, (upTo) => use.lt(upTo)),
    use,
  );

/**
 * The most that so much more use can add, wherever on the curve it begins. The rise over a fixed width is itself straight
 * between the points where it or its end passes from one piece to the next, so its greatest value lies at one of these, on
 * one side or the other.
 */
export function steepestRise(curve: Curve, width: Big): Big {
  const ends = curve.flatMap(({ upTo }) => (upTo === null ? [] : [upTo]));
  const begins = [zero, ...ends, ...ends.map((end) => end.minus(width)).filter((begin) => begin.gt(zero))];
  let most = zero;
  for (const begin of begins) {
    const end = begin.plus(width);
    for (const rise of [at(curve, end).minus(at(curve, begin)), justAfter(curve, end).minus(justAfter(curve, begin))])
      if (rise.gt(most)) most = rise;
  }
  return most;
}

const along = ({ from, start, unit }: Piece, use: Big): Big => start.plus(unit.times(use.minus(from)));

const endOf = ({ up_to }: PriceTier): Big | null => (up_to === null ? null : new Big(up_to));

/** The first piece whose end is far enough, by halving: admission asks this often. */
function pieceOf(curve: Curve, isFarEnough: (upTo: Big) => boolean): Piece {
  let first = 0;
  let last = curve.length - 1;
  while (first < last) {
    const middle = (first + last) >> 1;
    const upTo = curve[middle]?.upTo ?? null;
    if (upTo === null || isFarEnough(upTo)) last = middle;
    else first = middle + 1;
  }
  const found = curve[first];
  if (found === undefined || (found.upTo !== null && !isFarEnough(found.upTo)))
    throw new RangeError("a curve: expected a last piece without end, received none");
  return found;
}
