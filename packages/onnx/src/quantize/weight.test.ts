import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantizeWeight, turned } from "./weight.ts";

describe("quantizeWeight", () => {
  it("takes each column's largest value for 127", () => {
    const found = quantizeWeight(Float32Array.of(1, -10, -0.4, 5.1, 0, 2.5), [3, 2], 1);
    expect(found?.numbers).toEqual(Int8Array.of(127, -127, -51, 65, 0, 32));
    expect(found?.scales).toEqual(Float32Array.of(1 / 127, 10 / 127));
  });

  it("takes each row's, or each output channel's of a kernel, by the axis", () => {
    const rows = quantizeWeight(Float32Array.of(1, 4, 15, 60), [2, 2], 0);
    expect(rows?.numbers).toEqual(Int8Array.of(32, 127, 32, 127));
    const kernel = quantizeWeight(Float32Array.of(1, 4, 15, 60), [2, 1, 1, 2], 0);
    expect(kernel).toEqual(rows);
  });

  it("moves no weight by more than half a scale, and keeps 0, with 8 bits and with 7", () => {
    const weight = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 1e-45, 3.4e38, -3.4e38, 1, -1),
    );
    const matrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
      fc.record({
        shape: fc.constant([rows, columns] as const),
        weights: fc.array(weight, { minLength: rows * columns, maxLength: rows * columns }),
        axis: fc.constantFrom(0, 1),
        bits: fc.constantFrom(7 as const, 8 as const),
      }),
    );
    fc.assert(
      fc.property(matrix, ({ shape, weights, axis, bits }) => {
        const floats = Float32Array.from(weights);
        const found = quantizeWeight(floats, shape, axis, bits);
        if (found === undefined) throw new Error("expected finite weights to be quantized");
        const most = bits === 8 ? 127 : 63;
        for (const [i, w] of floats.entries()) {
          const channel = axis === 0 ? Math.floor(i / shape[1]) : i % shape[1];
          const scale = found.scales[channel] ?? Number.NaN;
          const number = found.numbers[i] ?? Number.NaN;
          expect(Math.abs(number)).toBeLessThanOrEqual(most);
          // the scale itself is rounded to 24 bits
          expect(Math.abs(w - number * scale)).toBeLessThanOrEqual(scale * 0.50002);
          if (w === 0) expect(number === 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("refuses what is not finite, and takes channels without weights", () => {
    expect(quantizeWeight(Float32Array.of(1, Number.NaN), [1, 2], 1)).toBeUndefined();
    expect(quantizeWeight(Float32Array.of(1, Number.NEGATIVE_INFINITY), [1, 2], 1)).toBeUndefined();
    expect(quantizeWeight(new Float32Array(0), [0, 2], 1)).toEqual({
      numbers: new Int8Array(0),
      scales: Float32Array.of(1, 1),
    });
    expect(quantizeWeight(new Float32Array(0), [2, 0], 1)?.scales).toEqual(new Float32Array(0));
    expect(() => quantizeWeight(new Float32Array(2), [2], 1)).toThrow(
      /expected an axis from 0 to 0 of \[2\], received 1/,
    );
  });
});

it("turned turns a matrix", () => {
  expect(turned(Int8Array.of(1, 2, 3, 4, 5, 6), 2, 3)).toEqual(Int8Array.of(1, 4, 2, 5, 3, 6));
});
