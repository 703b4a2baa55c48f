/** @file Numbers within bounds as grammars: digit by digit, exactly. */
import { characters, choice, type Expression, empty, optional, repeat, sequence, text } from "./expression.ts";

const digit = characters("09");
const nonzero = characters("19");
/** Digits of a whole number without bound: all that a double keeps apart. */
const wholeDigits = 16;
/** Digits after the point of a number without bound. */
const fractionDigits = 17;

function digits(count: number): Expression {
  return count === 0 ? empty : count === 1 ? digit : repeat(digit, count, count);
}

function upTo(count: number): Expression {
  return count <= 0 ? empty : repeat(digit, 0, count);
}

function between(first: string, last: string): Expression {
  return first === last ? text(first) : characters(first + last);
}

/** Texts of digits of one length from one to the other. */
function digitsBetween(low: string, high: string): Expression {
  const [l = "", h = ""] = [low[0], high[0]];
  const [lows, highs] = [low.slice(1), high.slice(1)];
  if (low === high) return low === "" ? empty : text(low);
  if (/^0*$/u.test(low) && /^9*$/u.test(high)) return digits(low.length);
  if (l === h) return sequence(text(l), digitsBetween(lows, highs));
  const middle = [Number(l) + 1, Number(h) - 1] as const;
  const fromLow = /^0*$/u.test(lows);
  const toHigh = /^9*$/u.test(highs);
  const first = fromLow ? Number(l) : middle[0];
  const last = toHigh ? Number(h) : middle[1];
  return choice(
    ...(fromLow ? [] : [sequence(text(l), digitsBetween(lows, "9".repeat(lows.length)))]),
    ...(first > last ? [] : [sequence(between(String(first), String(last)), digits(lows.length))]),
    ...(toHigh ? [] : [sequence(text(h), digitsBetween("0".repeat(highs.length), highs))]),
  );
}

/** Whole numbers from 0 on. */
function naturals(low: bigint, high: bigint): Expression | undefined {
  if (low > high) return undefined;
  const [from, to] = [String(low).length, String(high).length];
  const ofLength = (length: number): Expression => {
    const smallest = length === 1 ? 0n : 10n ** BigInt(length - 1);
    const largest = 10n ** BigInt(length) - 1n;
    return digitsBetween(String(low > smallest ? low : smallest), String(high < largest ? high : largest));
  };
  if (from === to) return ofLength(from);
  const middle = to - from > 1 ? [sequence(nonzero, repeat(digit, from, to - 2))] : [];
  return choice(ofLength(from), ...middle, ofLength(to));
}

/** Whole numbers from one to the other, both within; without a bound, of at most 16 digits or those of the other bound. */
export function integersBetween(low: bigint | undefined, high: bigint | undefined): Expression | undefined {
  const far = (other: bigint | undefined): bigint => {
    const length = Math.max(wholeDigits, String(other ?? 0n).replace("-", "").length);
    return 10n ** BigInt(length) - 1n;
  };
  const from = low ?? -far(high);
  const to = high ?? far(low);
  const negative = from < 0n ? naturals(to < -1n ? -to : 1n, -from) : undefined;
  const positive = to >= 0n ? naturals(from > 0n ? from : 0n, to) : undefined;
  const parts = [
    ...(negative === undefined ? [] : [sequence(text("-"), negative)]),
    ...(positive === undefined ? [] : [positive]),
  ];
  return parts.length === 0 ? undefined : choice(...parts);
}

/** An end of a range of numbers. */
export interface Bound {
  readonly value: number;
  readonly isWithin: boolean;
}

interface Decimal {
  readonly whole: bigint;
  readonly fraction: string;
  readonly isWithin: boolean;
}

/** A number from 0 on, in decimal, as JSON would be read back as it. */
function decimal({ value, isWithin }: Bound): Decimal {
  const [mantissa = "0", exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  const all = whole + fraction;
  const point = whole.length + shift;
  const padded = point <= 0 ? "0".repeat(1 - point) + all : all.padEnd(point, "0");
  const at = point <= 0 ? 1 : point;
  return { whole: BigInt(padded.slice(0, at)), fraction: padded.slice(at).replace(/0+$/u, ""), isWithin };
}

/** What may follow a number's whole part, where that is at one or both ends of a range. */
function fractions(low: Decimal | undefined, high: Decimal | undefined, budget: number): Expression | undefined {
  const at = (end: Decimal, i: number) => Number(end.fraction[i] ?? 0);
  const isOver = (end: Decimal, i: number) => i >= end.fraction.length;
  const mayEnd = (i: number, atLow: boolean, atHigh: boolean): boolean =>
    (!atLow || low === undefined || (isOver(low, i) && low.isWithin)) &&
    (!atHigh || high === undefined || !isOver(high, i) || high.isWithin);
  // At least one digit more, at place i.
  const more = (i: number, atLow: boolean, atHigh: boolean): Expression | undefined => {
    if (i >= budget) return undefined;
    if (!atLow && !atHigh) return repeat(digit, 1, budget - i);
    const least = atLow && low !== undefined ? at(low, i) : 0;
    const most = atHigh && high !== undefined ? at(high, i) : 9;
    const parts: Expression[] = [];
    let free: [number, number] | undefined;
    for (let d = least; d <= most; d++) {
      const staysLow = atLow && d === least;
      const staysHigh = atHigh && d === most;
      if (staysLow || staysHigh) {
        const next = more(i + 1, staysLow, staysHigh);
        const ends = mayEnd(i + 1, staysLow, staysHigh);
        if (next !== undefined) parts.push(sequence(text(String(d)), ends ? optional(next) : next));
        else if (ends) parts.push(text(String(d)));
      } else free = [free?.[0] ?? d, d];
    }
    if (free !== undefined) parts.push(sequence(between(String(free[0]), String(free[1])), upTo(budget - i - 1)));
    return parts.length === 0 ? undefined : choice(...parts);
  };
  const [isAtLow, isAtHigh] = [low !== undefined, high !== undefined];
  const rest = more(0, isAtLow, isAtHigh);
  const dotted = rest && sequence(text("."), rest);
  if (mayEnd(0, isAtLow, isAtHigh)) return dotted === undefined ? empty : optional(dotted);
  return dotted;
}

/** Numbers from 0 on, without exponents. */
function decimalsFrom(low: Decimal, high: Decimal | undefined, places: number): Expression | undefined {
  const isStrict = !low.isWithin || high?.isWithin === false;
  const wholes = String(high?.whole ?? low.whole).length;
  // With more than 15 digits a number could be read back as the bound itself, which isn't within.
  const budget = Math.min(places, isStrict ? Math.max(0, 15 - wholes) : fractionDigits);
  const join = (whole: Expression | undefined, after: Expression | undefined): Expression[] =>
    whole === undefined || after === undefined ? [] : [sequence(whole, after)];
  if (high !== undefined && high.whole < low.whole) return undefined;
  const parts =
    high !== undefined && high.whole === low.whole
      ? join(text(String(low.whole)), fractions(low, high, budget))
      : [
          ...join(text(String(low.whole)), fractions(low, undefined, budget)),
          ...join(
            naturals(low.whole + 1n, high === undefined ? farther(low.whole) : high.whole - 1n),
            fractions(undefined, undefined, budget),
          ),
          ...(high === undefined ? [] : join(text(String(high.whole)), fractions(undefined, high, budget))),
        ];
  return parts.length === 0 ? undefined : choice(...parts);
}

function farther(than: bigint): bigint {
  return 10n ** BigInt(Math.max(wholeDigits, String(than).length + 1)) - 1n;
}

const zero: Bound = { value: 0, isWithin: true };

/** Numbers within bounds, written without exponents. @param places most digits after the point. */
export function numbersBetween(
  low: Bound | undefined,
  high: Bound | undefined,
  places: number = Number.POSITIVE_INFINITY,
): Expression | undefined {
  const parts: Expression[] = [];
  if (low === undefined || low.value < 0) {
    const near = high === undefined || high.value >= 0 ? { value: 0, isWithin: false } : high;
    const negative = decimalsFrom(decimal(near), low && decimal(low), places);
    if (negative !== undefined) parts.push(sequence(text("-"), negative));
  }
  if (high === undefined || high.value >= 0) {
    const positive = decimalsFrom(
      decimal(low === undefined || low.value < 0 ? zero : low),
      high && decimal(high),
      places,
    );
    if (positive !== undefined) parts.push(positive);
  }
  return parts.length === 0 ? undefined : choice(...parts);
}

/** Any number of JSON, but those too large for a double. */
export const anyNumber: Expression = sequence(
  optional(text("-")),
  choice(text("0"), sequence(nonzero, repeat(digit, 0, 20))),
  optional(sequence(text("."), repeat(digit, 1, 20))),
  optional(sequence(characters("EEee"), optional(choice(text("+"), text("-"))), repeat(digit, 1, 2))),
);
