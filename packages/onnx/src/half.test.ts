import { describe, expect, it } from "vitest";
import { fromHalfBits, toHalfBits } from "./half.ts";

describe("float16", () => {
  it("keeps all 63,488 finite numbers and infinities, and NaN, bit for bit", () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
      (b) => (b & 0x7c00) !== 0x7c00 || (b & 0x3ff) === 0,
    );
    expect(toHalfBits(...fromHalfBits(bits).slice(0, 30000))).toEqual(bits.slice(0, 30000));
    expect(toHalfBits(...fromHalfBits(bits).slice(30000))).toEqual(bits.slice(30000));
    expect(fromHalfBits(Uint16Array.of(0x7e01))[0]).toBeNaN();
  });

  it("rounds to the nearest, halves to even", () => {
    // neighbours of 2048 are 2 apart; 65519 still rounds to 65504, 65520 is past it
    expect([...toHalfBits(2049, 2051, 65519, 65520, -1e9, 2 ** -25, 3 * 2 ** -25)]).toEqual([
      0x6800, 0x6802, 0x7bff, 0x7c00, 0xfc00, 0, 2,
    ]);
    expect([...toHalfBits(1, -2, 0.5, 0, -0, Number.NaN)]).toEqual([0x3c00, 0xc000, 0x3800, 0, 0x8000, 0x7e00]);
  });
});
