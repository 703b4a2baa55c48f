import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDims, divideDims, exactQuotient, maxDims, minDims, multiplyDims, subtractDims } from "./dim.ts";
import { evaluate } from "./operators/testing/evaluate.ts";
import type { Dim } from "./shape.ts";

describe("arithmetic on sizes", () => {
  it("writes products and sums the same way, whatever the order", () => {
    expect(multiplyDims("batch", 26)).toBe("batch*26");
    expect(multiplyDims(26, "batch")).toBe("batch*26");
    expect(multiplyDims(2, "batch", 13)).toBe("batch*26");
    expect(addDims(addDims("w", 2), addDims("h", -5))).toBe("h+w-3");
    expect(multiplyDims("b", "a")).toBe(multiplyDims("a", "b"));
    expect(addDims("batch", "batch")).toBe("batch*2");
  });

  it("cancels what cancels", () => {
    expect(subtractDims(addDims("w", 2), 2)).toBe("w");
    expect(subtractDims("w", "w")).toBe(0);
    expect(exactQuotient(multiplyDims("batch", 78), 26)).toBe("batch*3");
    expect(exactQuotient(multiplyDims("batch", "time", 8), multiplyDims("time", 4))).toBe("batch*2");
    expect(exactQuotient("batch", 2)).toBeUndefined();
    expect(exactQuotient("batch", 0)).toBeUndefined();
  });

  it("keeps a rounded quotient as a term that more can be added to", () => {
    const positions = addDims(divideDims(addDims("w", -3), 2), 1);
    expect(positions).toBe("floor((w-3)/2)+1");
    expect(addDims(positions, 1)).toBe("floor((w-3)/2)+2");
    expect(multiplyDims(positions, 4)).toBe("floor((w-3)/2)*4+4");
  });

  it("agrees with numbers, whatever the names stand for", () => {
    const operations = { addDims, subtractDims, multiplyDims, maxDims, minDims };
    const name = fc.constantFrom("batch", "time", "w");
    const leaf: fc.Arbitrary<Dim> = fc.oneof(fc.nat(9), name);
    const step = fc.tuple(fc.constantFrom(...Object.values(operations)), leaf);
    fc.assert(
      fc.property(
        leaf,
        fc.array(step, { maxLength: 6 }),
        fc.nat(20),
        fc.nat(20),
        fc.nat(20),
        (first, steps, a, b, c) => {
          const sizes = new Map([
            ["batch", a],
            ["time", b],
            ["w", c],
          ]);
          const number = (dim: Dim): number => (typeof dim === "number" ? dim : (sizes.get(dim) ?? Number.NaN));
          const named = steps.reduce<Dim>((dim, [operation, other]) => operation(dim, other), first);
          const plain = steps.reduce<Dim>((dim, [operation, other]) => operation(dim, number(other)), number(first));
          expect((evaluate(named, sizes) ?? Number.NaN) + 0).toBe(Number(plain) + 0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("divides as numbers do", () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (size, factor, divisor) => {
          const named = multiplyDims("n", factor);
          const sizes = new Map([["n", size]]);
          expect(evaluate(divideDims(named, divisor), sizes)).toBe(Math.floor((size * factor) / divisor));
          expect(evaluate(divideDims(named, divisor, "ceil"), sizes)).toBe(Math.ceil((size * factor) / divisor));
        },
      ),
    );
  });
});
