import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asShown, show, store } from "./storage.ts";

describe("the way between shown and kept weights", () => {
  it("puts a 2 x 3 matrix on its side", () => {
    const storage = { view: [2, 3], order: [1, 0], stored: [3, 2] };
    expect([...store(Float32Array.of(1, 2, 3, 4, 5, 6), storage)]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it("keeps [height, width, in, out] as [out, in, height, width]", () => {
    const view = [2, 1, 2, 2];
    const kept = store(Float32Array.of(0, 1, 10, 11, 100, 101, 110, 111), {
      view,
      order: [3, 2, 0, 1],
      stored: [2, 2, 2, 1],
    });
    expect([...kept]).toEqual([0, 100, 10, 110, 1, 101, 11, 111]);
  });

  it("leads back, whatever the order", () => {
    const orders = fc.uniqueArray(fc.nat(3), { minLength: 4, maxLength: 4 });
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(sizes, orders, (view, order) => {
        const count = view.reduce((a, b) => a * b, 1);
        const data = Float32Array.from({ length: count }, (_, i) => i);
        const storage = { view, order, stored: order.map((axis) => view[axis] ?? 1) };
        expect(show(store(data, storage), storage)).toEqual(data);
      }),
    );
  });

  it("copies where nothing moves, so that nobody shares memory", () => {
    const data = Float32Array.of(1, 2);
    expect(store(data, asShown([2]))).not.toBe(data);
  });
});
