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

/** How much `part` is of `whole`, to be drawn: a number, and 0 of nothing. */
export const shareOf = (part: string, whole: string): number =>
  Number(whole) === 0 ? 0 : Number(part) / Number(whole);
