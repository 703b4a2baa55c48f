/** @file Axes: which round numbers stand at them, and how they are written. */

/** An axis: from values to places, with the values that are written at it. */
export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
  /** 0 at `min`, 1 at `max`. */
  share(value: number): number;
}

/** The step of 1, 2 or 5 times a power of ten that divides a range into at most `most` parts. */
function niceStep(range: number, most: number): number {
  const rough = range / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((times) => times * power >= rough * (1 - 1e-9)) ?? 10;
  return step * power;
}

/**
 * An axis whose steps are even. With `isRounded` it ends at round numbers, otherwise at the smallest and largest value.
 * `isWhole` keeps steps to whole numbers (epochs).
 */
export function linearAxis(low: number, high: number, most: number, { isRounded = true, isWhole = false } = {}): Axis {
  // one value alone, or two that no step tells apart, get room around them
  const isOne = high - low <= Math.max(Math.abs(low), Math.abs(high)) * 1e-12 || high - low < 1e-300;
  const spare = isOne ? (Math.abs(low) > 1e-300 ? Math.abs(low) * 0.1 : 1) : 0;
  let [min, max] = [low - spare, high + spare];
  const nice = niceStep(max / most - min / most, 1);
  const step = isWhole ? Math.max(1, Math.round(nice)) : nice;
  if (isRounded) [min, max] = [Math.floor(min / step + 1e-9) * step, Math.ceil(max / step - 1e-9) * step];
  const first = Math.ceil(min / step - 1e-9);
  const count = Math.floor(max / step + 1e-9) - first;
  const values = Array.from({ length: count + 1 }, (_, i) => (first + i) * step);
  return {
    min,
    max,
    ticks: values.map((value) => ({ value, label: formatTick(value, step, Math.max(Math.abs(min), Math.abs(max))) })),
    // halves: max - min may be infinite
    share: (value) => (value / 2 - min / 2) / (max / 2 - min / 2),
  };
}

/** An axis whose steps are powers of ten; `low` above 0. */
export function logAxis(low: number, high: number, most: number): Axis {
  const decades = Math.log10(high) - Math.log10(low);
  // with little to show between powers of ten, 2 and 5 times them are written too
  const times = decades < 2.5 ? [1, 2, 5] : [1];
  const [from, to] = [Math.floor(Math.log10(low)) - 1, Math.ceil(Math.log10(high)) + 1];
  const all = Array.from({ length: to - from + 1 }, (_, i) => times.map((factor) => factor * 10 ** (from + i))).flat();
  const below = all.filter((value) => value <= low * (1 + 1e-9)).at(-1) ?? low;
  const above = all.find((value) => value >= high * (1 - 1e-9) && value > below) ?? high;
  const inside = all.filter((value) => value >= below && value <= above);
  const every = Math.ceil(inside.length / most);
  return {
    min: below,
    max: above,
    ticks: inside
      .filter((_, i) => i % every === 0)
      .map((value) => ({ value, label: formatPower(value, below >= 1e-3 && above <= 1e4) })),
    share: (value) => (Math.log10(value) - Math.log10(below)) / (Math.log10(above) - Math.log10(below)),
  };
}

/** A tick's number with as many digits as its step needs; very large and small ones with an exponent. */
function formatTick(value: number, step: number, largest: number): string {
  if (largest >= 1e7 || step < 1e-5) {
    if (value === 0) return "0";
    const digits = Math.max(0, Math.floor(Math.log10(Math.abs(value)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9));
    return value.toExponential(Math.min(20, digits)).replace("e+", "e").replace("-", "−");
  }
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return grouped(value.toFixed(digits)).replace("-", "−");
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** As it is where the whole axis can be, or as a power of ten. */
function formatPower(value: number, isPlain: boolean): string {
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  if (isPlain || exponent === 0 || exponent === 1) return grouped(String(Number(value.toPrecision(1))));
  const factor = Math.round(value / 10 ** exponent);
  const raised = [...String(Math.abs(exponent))].map((digit) => superscripts.charAt(Number(digit))).join("");
  return `${factor === 1 ? "" : `${factor}·`}10${exponent < 0 ? "⁻" : ""}${raised}`;
}

/** Thousands told apart by commas. */
export const grouped = (digits: string): string =>
  digits.replace(/^-?\d+/, (whole) => whole.replaceAll(/\B(?=(\d{3})+$)/g, ","));
