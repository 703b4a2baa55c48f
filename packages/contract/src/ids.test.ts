import fc from "fast-check";
import { expect, it } from "vitest";
import { isId, makeId } from "./ids.ts";

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });

it("makes ids that are recognized as their own kind and no other", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 45), bytes, (time, random) => {
      const id = makeId("run", time, random);
      expect(isId("run", id)).toBe(true);
      expect(isId("model", id)).toBe(false);
    }),
  );
});

it("orders ids by their time", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 45), fc.integer({ min: 1, max: 1e9 }), bytes, bytes, (time, later, a, b) => {
      expect(makeId("run", time, a) < makeId("run", time + later, b)).toBe(true);
    }),
  );
});

it("refuses too little randomness and foreign texts", () => {
  expect(() => makeId("run", 0, new Uint8Array(15))).toThrow("expected 16 random bytes");
  for (const text of ["", "run_", "run_../../etc/passwd", "prj_01", `run_${"i".repeat(26)}`])
    expect(isId("run", text)).toBe(false);
});
