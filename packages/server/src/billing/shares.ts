/** @file One amount in parts that add up to it exactly. */
import Big from "big.js";

/** Digits after the point that a share may have: as many as an amount by a price for each unit. */
const shareDigits = 24;

/**
 * Divides an amount by weights. Each share is the difference of two rounded running sums, so that together they are the
 * amount to the last digit, and none is further from its exact value than one unit of the last digit.
 * @param weights of at least one part. When they can't divide (some below zero, or all zero), the parts are equal.
 */
export function sharesOf(amount: Big, weights: readonly Big[]): readonly Big[] {
  const usable = weights.every((weight) => weight.gte(0)) && weights.some((weight) => weight.gt(0));
  const parts = usable ? weights : weights.map(() => new Big(1));
  const whole = parts.reduce((sum, part) => sum.plus(part), new Big(0));
  let before = new Big(0);
  let given = new Big(0);
  return parts.map((part) => {
    before = before.plus(part);
    const upToHere = before.eq(whole) ? amount : quotient(amount.times(before), whole);
    const share = upToHere.minus(given);
    given = upToHere;
    return share;
  });
}

/** big.js divides to 20 digits after the point; so the dividend is moved, and the quotient moved back. */
function quotient(dividend: Big, divisor: Big): Big {
  const moved = dividend.times("1e24").div(divisor).round(0, Big.roundDown);
  return moved.times(`1e-${shareDigits}`);
}
