import Big from "big.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PriceBook, type PriceEntry } from "./price-book.ts";
import { type RatableSum, rate } from "./rating.ts";

const day = (number: number) => new Date(Date.UTC(2026, 0, number));

let entries = 0;
const price = (amount: string, more: Partial<PriceEntry> = {}): PriceEntry => ({
  id: `prc_${++entries}`,
  meter: "training.seconds",
  model: null,
  hardware: null,
  amount,
  effectiveFrom: day(1),
  ...more,
});

const sum = (quantity: string, more: Partial<RatableSum> = {}): RatableSum => ({
  windowStart: null,
  meter: "training.seconds",
  group: [],
  model: null,
  hardware: null,
  priceChangesBefore: 1,
  events: 1,
  quantity,
  ...more,
});

describe("lookup", () => {
  const book = new PriceBook([
    price("4", { model: "mnist", hardware: "gpu" }),
    price("3", { model: "mnist" }),
    price("2", { hardware: "gpu" }),
    price("1"),
    price("5", { model: "mnist", hardware: "gpu", effectiveFrom: day(9) }),
    price("6", { model: "late", effectiveFrom: day(9) }),
  ]);
  const amount = (model: string | null, hardware: string | null, at = day(2), meter = "training.seconds") =>
    book.find({ meter, model, hardware }, at)?.amount;

  test("[BIL2] the most specific price holds: model and hardware, model, hardware, meter", () => {
    expect(amount("mnist", "gpu")).toBe("4");
    expect(amount("mnist", "cpu")).toBe("3");
    expect(amount("mnist", null)).toBe("3");
    expect(amount("other", "gpu")).toBe("2");
    expect(amount("other", "cpu")).toBe("1");
    expect(amount(null, null)).toBe("1");
  });

  test("[BIL2] a specific price that has not begun leaves the field to the next", () => {
    expect(amount("late", "cpu", day(8))).toBe("1");
    expect(amount("late", "cpu", day(9))).toBe("6");
    expect(amount("mnist", "gpu", day(8))).toBe("4");
    expect(amount("mnist", "gpu", day(9))).toBe("5");
  });

  test("before the first price, and for a meter without one, there is none", () => {
    expect(amount("mnist", "gpu", new Date(day(1).getTime() - 1))).toBeUndefined();
    expect(amount("mnist", "gpu", day(2), "service.images")).toBeUndefined();
    expect(book.findAfterChanges({ meter: "training.seconds", model: null, hardware: null }, 0)).toBeUndefined();
  });

  test("changes are every start, ascending, each once", () => {
    expect(book.changes).toEqual([day(1), day(9)]);
  });
});

describe("rating by hand", () => {
  test("[BIL3] amounts are exact and only the total is rounded, once, half to even", () => {
    const book = new PriceBook([price("0.005")]);
    const both = rate([sum("1", { group: ["a"] }), sum("2", { group: ["b"] })], book, 2);
    expect(both.rows.map((row) => row.amount)).toEqual(["0.005", "0.01"]);
    expect(both.total).toBe("0.02"); // 0.015; rounding each row first would make 0.00 + 0.01
    expect(rate([sum("1")], book, 2).total).toBe("0.00");
    expect(rate([sum("5")], book, 2).total).toBe("0.02");
    expect(rate([sum("1")], book, 3).total).toBe("0.005");
  });

  test("digits that floating point loses are kept", () => {
    const { rows, total } = rate([sum("123456789012345678.000000001")], new PriceBook([price("0.00000000001")]), 2);
    expect(rows[0]?.amount).toBe("1234567.89012345678000000001");
    expect(total).toBe("1234567.89");
  });

  test("[BIL4] a row with an event of unknown price has no amount, and its events are counted as unpriced", () => {
    const book = new PriceBook([price("2")]);
    const { rows, total, unpricedEvents } = rate(
      [
        sum("1", { events: 3 }),
        sum("7", { events: 2, priceChangesBefore: 0 }),
        sum("1", { meter: "service.images", events: 4 }),
        sum("1", { group: ["priced"] }),
      ],
      book,
      2,
    );
    expect(rows).toEqual([
      {
        windowStart: null,
        meter: "training.seconds",
        group: [],
        events: 5,
        quantity: "8",
        amount: null,
        unpricedEvents: 2,
      },
      {
        windowStart: null,
        meter: "service.images",
        group: [],
        events: 4,
        quantity: "1",
        amount: null,
        unpricedEvents: 4,
      },
      {
        windowStart: null,
        meter: "training.seconds",
        group: ["priced"],
        events: 1,
        quantity: "1",
        amount: "2",
        unpricedEvents: 0,
      },
    ]);
    expect({ total, unpricedEvents }).toEqual({ total: "4.00", unpricedEvents: 6 });
  });

  test("a price of zero is a price, and nothing used costs nothing", () => {
    expect(rate([sum("9")], new PriceBook([price("0")]), 2)).toMatchObject({
      rows: [{ amount: "0" }],
      total: "0.00",
      unpricedEvents: 0,
    });
    expect(rate([], new PriceBook([]), 2)).toEqual({ rows: [], total: "0.00", exactTotal: "0", unpricedEvents: 0 });
  });
});

/** An event as histories are made of. */
interface Event {
  readonly day: number;
  readonly admittedDay: number;
  readonly model: string | null;
  readonly hardware: string | null;
  readonly key: string | null;
  readonly quantity: string;
}

const name = fc.constantFrom("a", "b", null);
const decimal = (maxWhole: number) =>
  fc.tuple(fc.nat(maxWhole), fc.nat(999_999_999)).map(([whole, part]) => `${whole}.${String(part).padStart(9, "0")}`);
const history = fc.array(
  fc.record({
    day: fc.integer({ min: 1, max: 28 }),
    admittedDay: fc.integer({ min: 1, max: 28 }),
    model: name,
    hardware: name,
    key: name,
    quantity: decimal(1_000_000),
  }),
  { maxLength: 60 },
);
const prices = fc.uniqueArray(
  fc.record({
    model: name,
    hardware: name,
    amount: decimal(1000),
    effectiveFrom: fc.integer({ min: 1, max: 28 }).map(day),
  }),
  { maxLength: 12, selector: ({ model, hardware, effectiveFrom }) => JSON.stringify([model, hardware, effectiveFrom]) },
);

/** Sums events as the database does: apart by window, group, and everything that decides a price. */
function sums(
  events: readonly Event[],
  book: PriceBook,
  windowDays: number,
  groups: readonly (keyof Event)[],
): RatableSum[] {
  const found = new Map<string, RatableSum>();
  for (const event of events) {
    const one = sum(event.quantity, {
      windowStart: day(Math.floor((event.day - 1) / windowDays) * windowDays + 1),
      group: groups.map((group) => (event[group] === null ? null : String(event[group]))),
      model: event.model,
      hardware: event.hardware,
      priceChangesBefore: book.changes.filter((change) => change <= day(event.admittedDay)).length,
    });
    const key = JSON.stringify([one.windowStart, one.group, one.model, one.hardware, one.priceChangesBefore]);
    const known = found.get(key);
    const quantity = new Big(known?.quantity ?? 0).plus(event.quantity).toFixed();
    found.set(key, { ...one, quantity, events: (known?.events ?? 0) + 1 });
  }
  return [...found.values()];
}

/** The total as its definition says: each event at its price, rounded once. */
function totalByDefinition(events: readonly Event[], book: PriceBook): string {
  let total = new Big(0);
  for (const event of events) {
    const found = book.find({ ...event, meter: "training.seconds" }, day(event.admittedDay));
    if (found !== undefined) total = total.plus(new Big(found.amount).times(event.quantity));
  }
  return total.round(2, Big.roundHalfEven).toFixed(2);
}

describe("rating any history with any price book", () => {
  const windows = fc.constantFrom(1, 2, 7, 28);
  const groups = fc.subarray<keyof Event>(["model", "hardware", "key"]);

  test("[BIL3] windows and groups change the rows and never the total", () => {
    fc.assert(
      fc.property(history, prices, windows, groups, (events, entries, windowDays, by) => {
        const book = new PriceBook(entries.map((entry) => price(entry.amount, entry)));
        const rated = rate(sums(events, book, windowDays, by), book, 2);
        expect(rated.total).toBe(totalByDefinition(events, book));
        expect(rated.rows.reduce((count, row) => count + row.events, 0)).toBe(events.length);
        expect(rated.rows.reduce((count, row) => count + row.unpricedEvents, 0)).toBe(rated.unpricedEvents);
      }),
    );
  });

  test("[BIL3] when every event has a price, the rows' exact amounts add up to the total", () => {
    fc.assert(
      fc.property(history, prices, windows, groups, (events, entries, windowDays, by) => {
        const base = price("0.25", { effectiveFrom: new Date(0) });
        const book = new PriceBook([base, ...entries.map((entry) => price(entry.amount, entry))]);
        const { rows, total, exactTotal, unpricedEvents } = rate(sums(events, book, windowDays, by), book, 2);
        const exact = rows.reduce((amount, row) => amount.plus(row.amount ?? Number.NaN), new Big(0));
        expect(exact.toFixed()).toBe(exactTotal);
        expect(exact.round(2, Big.roundHalfEven).toFixed(2)).toBe(total);
        expect(unpricedEvents).toBe(0);
      }),
    );
  });

  test("[BIL3] splitting a span in two changes no amount, whatever price changes lie in it", () => {
    fc.assert(
      fc.property(history, prices, fc.integer({ min: 1, max: 28 }), (events, entries, cut) => {
        const book = new PriceBook([
          price("1", { effectiveFrom: new Date(0) }),
          ...entries.map((entry) => price(entry.amount, entry)),
        ]);
        const amountOf = (part: readonly Event[]) =>
          rate(sums(part, book, 28, []), book, 2).rows.reduce(
            (amount, row) => amount.plus(row.amount ?? Number.NaN),
            new Big(0),
          );
        const parts = [events.filter((event) => event.day < cut), events.filter((event) => event.day >= cut)];
        const inParts = parts.reduce((amount, part) => amount.plus(amountOf(part)), new Big(0));
        expect(inParts.toFixed()).toBe(amountOf(events).toFixed());
      }),
    );
  });
});
