/** @file Exact quantities out of JSON. Pure. */
import Big from "big.js";

/** As the ledger takes it: at most 18 digits before the point and 9 after it. */
const form = /^\d{1,18}(\.\d{1,9})?$/;

/**
 * The exact decimal of a value, as text; undefined: it is none. Text is taken digit by digit. A JSON number is binary
 * once it is read: whole ones are exact below 2^53, and above it they must be sent as text; others are rounded half-even
 * to nine digits after the point.
 */
export function exactQuantity(value: unknown): string | undefined {
  if (typeof value === "string") return form.test(value) ? value : undefined;
  if (typeof value !== "number" || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) return undefined;
  // float-ok: whole numbers that doubles hold exactly
  if (Number.isInteger(value)) return Math.abs(value).toString();
  return new Big(value).round(9, Big.roundHalfEven).toFixed();
}
