import { describe, expect, it } from "vitest";
import { fromHalfBits, toHalfBits } from "./half.ts";

describe("float16", () => {
  it("keeps every finite number and both infinities bit for bit, and NaN as NaN", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const numbers = all.filter((bits) => (bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0);
    expect(numbers).toHaveLength(63_490);
    expect(toHalfBits(fromHalfBits(numbers))).toEqual(numbers);
    expect(fromHalfBits(Uint16Array.of(0x7e01))[0]).toBeNaN();
  });

  it("rounds to the nearest, halves to even", () => {
    // neighbours of 2048 are 2 apart; 65519 still rounds to 65504, 65520 is past it
    const rounded = toHalfBits([2049, 2051, 65519, 65520, -1e9, 2 ** -25, 3 * 2 ** -25]);
    expect([...rounded]).toEqual([0x6800, 0x6802, 0x7bff, 0x7c00, 0xfc00, 0, 2]);
    expect([...toHalfBits([1, -2, 0.5, 0, -0, Number.NaN])]).toEqual([0x3c00, 0xc000, 0x3800, 0, 0x8000, 0x7e00]);
  });
});
