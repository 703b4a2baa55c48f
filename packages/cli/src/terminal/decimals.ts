/** @file Sums of exact decimals as text, the form that money has on the wire. Pure. */

const pattern = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Whole units of 10^-digits. */
function unitsOf(text: string, digits: number): bigint {
  const [, sign = "", whole = "0", fraction = ""] = pattern.exec(text) ?? [];
  const units = BigInt(whole + fraction.padEnd(digits, "0"));
  return sign === "-" ? -units : units;
}

const digitsOf = (text: string): number => pattern.exec(text)?.[3]?.length ?? 0;

function textOf(units: bigint, digits: number): string {
  const text = `${units < 0n ? -units : units}`.padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = text.slice(text.length - digits).replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** ["0.1", "0.20"] → "0.3": no digit is lost, whatever the sizes. */
export function sumDecimals(texts: readonly string[]): string {
  const digits = Math.max(0, ...texts.map(digitsOf));
  return textOf(
    texts.reduce((sum, text) => sum + unitsOf(text, digits), 0n),
    digits,
  );
}

/** Below 0, 0, or above 0, as `Array.sort` takes it. */
export function compareDecimals(a: string, b: string): number {
  const digits = Math.max(digitsOf(a), digitsOf(b));
  const [left, right] = [unitsOf(a, digits), unitsOf(b, digits)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** "0.0005", "3" → "0.0015": every digit is kept. */
export function multiplyDecimals(a: string, b: string): string {
  const [left, right] = [digitsOf(a), digitsOf(b)];
  return textOf(unitsOf(a, left) * unitsOf(b, right), left + right);
}

/** "5", "-2" → "7". */
export const subtractDecimals = (a: string, b: string): string => sumDecimals([a, multiplyDecimals(b, "-1")]);

/** How many of `size` (above zero) begin within `amount` (not negative): 2001 of 1000 are 3. */
export function countBegun(amount: string, size: string): string {
  const digits = Math.max(digitsOf(amount), digitsOf(size));
  const [units, step] = [unitsOf(amount, digits), unitsOf(size, digits)];
  return `${(units + step - 1n) / step}`;
}

/** Half to even: "0.125" to 2 digits is "0.12". */
export function roundDecimal(text: string, digits: number): string {
  const all = Math.max(digitsOf(text), digits);
  const units = unitsOf(text, all);
  const step = 10n ** BigInt(all - digits);
  const size = units < 0n ? -units : units;
  const rest = (size % step) * 2n;
  const whole = size / step;
  const rounded = rest > step || (rest === step && whole % 2n === 1n) ? whole + 1n : whole;
  const shown = `${rounded}`.padStart(digits + 1, "0");
  const sign = units < 0n && rounded > 0n ? "-" : "";
  return sign + shown.slice(0, shown.length - digits) + (digits === 0 ? "" : `.${shown.slice(-digits)}`);
}

/** How much `part` is of `whole`, to be drawn: a number, and 0 of nothing. */
export const shareOf = (part: string, whole: string): number =>
  Number(whole) === 0 ? 0 : Number(part) / Number(whole);
