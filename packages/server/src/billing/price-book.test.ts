import { describe, expect, test } from "vitest";
import { PriceBook } from "./price-book.ts";
import { day, price } from "./testing/prices.ts";

describe("lookup", () => {
  const book = new PriceBook([
    price("4", { id: "both", model: "mnist", hardware: "gpu" }),
    price("3", { id: "model", model: "mnist" }),
    price("2", { id: "hardware", hardware: "gpu" }),
    price("1", { id: "meter" }),
    price("5", { id: "both later", model: "mnist", hardware: "gpu", effectiveFrom: day(9) }),
    price("6", { id: "late", model: "late", effectiveFrom: day(9) }),
  ]);
  const found = (model: string | null, hardware: string | null, at = day(2), meter = "training.seconds") =>
    book.find({ meter, model, hardware }, at)?.id;

  test("[BIL2] the most specific price holds: model and hardware, model, hardware, meter", () => {
    expect(found("mnist", "gpu")).toBe("both");
    expect(found("mnist", "cpu")).toBe("model");
    expect(found("mnist", null)).toBe("model");
    expect(found("other", "gpu")).toBe("hardware");
    expect(found("other", "cpu")).toBe("meter");
    expect(found(null, null)).toBe("meter");
  });

  test("[BIL2] a specific price that has not begun leaves the field to the next", () => {
    expect(found("late", "cpu", day(8))).toBe("meter");
    expect(found("late", "cpu", day(9))).toBe("late");
    expect(found("mnist", "gpu", day(8))).toBe("both");
    expect(found("mnist", "gpu", day(9))).toBe("both later");
  });

  test("before the first price, and for a meter without one, there is none", () => {
    expect(found("mnist", "gpu", new Date(day(1).getTime() - 1))).toBeUndefined();
    expect(found("mnist", "gpu", day(2), "service.images")).toBeUndefined();
    expect(book.findAfterChanges({ meter: "training.seconds", model: null, hardware: null }, 0)).toBeUndefined();
  });

  test("changes are every start, ascending, each once", () => {
    expect(book.changes).toEqual([day(1), day(9)]);
  });

  test("a price that the book does not hold has no tariff", () => {
    expect(book.tariffOf("meter").isAdditive).toBe(true);
    expect(() => book.tariffOf("prc_none")).toThrow(/expected the price prc_none/);
  });
});
