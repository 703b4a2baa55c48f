import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from "./short-floats.ts";

const single = Math.fround;

describe("float16", () => {
  it("has the value of every one of its 65,536 bit patterns, and the bits of every value", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = new Float16Array(all.buffer);
    for (const half of all) {
      const value = values[half] ?? 0;
      if (!Object.is(float16Value(half), value)) expect.fail(`value of ${half}`);
      if (!Number.isNaN(value) && float16Bits(value) !== half) expect.fail(`bits of ${half}`);
    }
    expect(float16Bits(Number.NaN)).toBe(0x7e00);
  });

  it("rounds halfway numbers to even, and their neighbours to the nearest", () => {
    const oracle = new Float16Array(1);
    const bits = new Uint16Array(oracle.buffer);
    for (let half = 0; half < 0x7c00; half++) {
      const middle = (float16Value(half) + (half === 0x7bff ? 65536 : float16Value(half + 1))) / 2;
      for (const value of [middle, single(middle * (1 - 2 ** -23)), single(middle * (1 + 2 ** -23)), -middle]) {
        oracle[0] = value;
        if (float16Bits(value) !== bits[0]) expect.fail(`bits of ${value}: ${float16Bits(value)}, expected ${bits[0]}`);
      }
    }
  });

  it("agrees with the engine's own on any float32", () => {
    const oracle = new Float16Array(1);
    const bits = new Uint16Array(oracle.buffer);
    fc.assert(
      fc.property(fc.float(), (value) => {
        oracle[0] = value;
        expect(float16Bits(value)).toBe(Number.isNaN(value) ? 0x7e00 : bits[0]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("bfloat16", () => {
  it("keeps the bits of every value, and rounds halfway numbers to even", () => {
    for (let half = 0; half < 0x7f80; half++) {
      const value = bfloat16Value(half);
      const next = bfloat16Value(half + 1);
      if (bfloat16Bits(value) !== half || bfloat16Bits(-value) !== (half | 0x8000)) expect.fail(`bits of ${half}`);
      const middle = single(value + (next - value) / 2);
      if (Number.isFinite(next) && bfloat16Bits(middle) !== half + (half & 1)) expect.fail(`the middle above ${half}`);
    }
    expect(bfloat16Bits(3.4e38)).toBe(0x7f80);
    expect(bfloat16Bits(Number.NaN)).toBe(0x7fc0);
    expect(bfloat16Value(0x7fc0)).toBeNaN();
  });
});
