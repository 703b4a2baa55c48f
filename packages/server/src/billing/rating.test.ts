import Big from "big.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RatableSum } from "./amounts.ts";
import { type RatedUsage, rate } from "./rating.ts";
import { createTariff, type PriceTerms } from "./tariff.ts";
import { day, decimals, terms, termsOfAnyKind } from "./testing/prices.ts";
import { monthOf } from "./windows.ts";

const sum = (quantity: string, { events = 1, ...more }: Partial<RatableSum> = {}): RatableSum => ({
  projectId: "prj_a",
  windowStart: day(1),
  meter: "training.seconds",
  group: [],
  priceId: "price",
  events,
  countedEvents: events,
  quantity,
  ...more,
});

/** Rates by prices of these names; "price" costs what is said. */
const rated = (sums: readonly RatableSum[], by: PriceTerms | string, minorDigits = 2): RatedUsage => {
  const tariff = createTariff(typeof by === "string" ? terms({ type: "per_unit", amount: by }) : by);
  return rate({ sums, before: [], tariffOf: () => tariff }, { minorDigits });
};
const add = (amounts: readonly (string | null)[]) =>
  amounts.reduce((total, amount) => total.plus(amount ?? Number.NaN), new Big(0)).toFixed();

describe("rating by hand", () => {
  test("[BIL3] amounts are exact; the total is rounded once, half to even, and each line once", () => {
    const both = rated([sum("1", { group: ["a"] }), sum("2", { group: ["b"] })], "0.005");
    expect(both.rows.map((row) => row.amount)).toEqual(["0.005", "0.01"]);
    expect(both).toMatchObject({ total: "0.02", exactTotal: "0.015" }); // rounding each row first would make 0.00 + 0.01
    expect(rated([sum("1")], "0.005").total).toBe("0.00");
    expect(rated([sum("5")], "0.005").total).toBe("0.02");
    expect(rated([sum("1")], "0.005", 3).total).toBe("0.005");
    const lines = rated([sum("1"), sum("1", { projectId: "prj_b" }), sum("3", { projectId: "prj_c" })], "0.005");
    expect(lines.lines.map((line) => line.roundedAmount)).toEqual(["0.00", "0.00", "0.02"]);
    expect(lines).toMatchObject({ linesTotal: "0.02", total: "0.02", exactTotal: "0.025" });
  });

  test("digits that floating point loses are kept", () => {
    const { rows, total } = rated([sum("123456789012345678.000000001")], "0.00000000001");
    expect(rows[0]?.amount).toBe("1234567.89012345678000000001");
    expect(total).toBe("1234567.89");
  });

  test("[BIL4] a row with an event of unknown price has no amount, and its events are counted as unpriced", () => {
    const { rows, lines, total, unpricedEvents } = rated(
      [
        sum("1", { events: 3 }),
        sum("7", { events: 2, priceId: null }),
        sum("1", { meter: "service.images", events: 4, priceId: null }),
        sum("1", { group: ["priced"] }),
      ],
      "2",
    );
    expect(
      rows.map(({ meter, group, events, quantity, amount, unpricedEvents: unpriced, priceIds }) => [
        meter,
        group,
        events,
        quantity,
        amount,
        unpriced,
        priceIds,
      ]),
    ).toEqual([
      ["service.images", [], 4, "1", null, 4, []],
      ["training.seconds", [], 5, "8", null, 2, ["price"]],
      ["training.seconds", ["priced"], 1, "1", "2", 0, ["price"]],
    ]);
    expect(
      lines.map(({ meter, priceId, events, amount, roundedAmount }) => [meter, priceId, events, amount, roundedAmount]),
    ).toEqual([
      ["service.images", null, 4, null, null],
      ["training.seconds", "price", 4, "4", "4.00"],
      ["training.seconds", null, 2, null, null],
    ]);
    expect({ total, unpricedEvents }).toEqual({ total: "4.00", unpricedEvents: 6 });
  });

  test("a price of zero is a price, and nothing used costs nothing", () => {
    expect(rated([sum("9")], "0")).toMatchObject({ rows: [{ amount: "0" }], total: "0.00", unpricedEvents: 0 });
    expect(rated([], "1")).toEqual({
      rows: [],
      lines: [],
      total: "0.00",
      exactTotal: "0",
      linesTotal: "0.00",
      unpricedEvents: 0,
    });
  });

  test("[BIL9] an event that was taken back costs nothing, whatever it was charged by", () => {
    const back = sum("-3", { events: 1, countedEvents: -1 });
    for (const charge of [
      terms({ type: "flat", amount: "2" }),
      terms({ type: "percentage", rate: "0.5", fixed: "2" }),
      terms({ type: "package", size: "2", amount: "5" }, { free: "1", minimum: "7" }),
      tiers,
    ]) {
      expect(rated([sum("3"), back], charge)).toMatchObject({ exactTotal: "0", rows: [{ events: 2, quantity: "0" }] });
    }
  });

  const tiers = terms({
    type: "graduated",
    tiers: [
      { up_to: "10", unit: "1", flat: "0" },
      { up_to: null, unit: "0.5", flat: "0" },
    ],
  });

  test("[BIL7] tiers go by the month of the project: each project and each month begins at the first", () => {
    const { lines } = rated(
      [
        sum("8", { windowStart: day(1) }),
        sum("8", { windowStart: day(2) }),
        sum("8", { windowStart: day(1), projectId: "prj_b" }),
        sum("8", { windowStart: day(32) }),
      ],
      tiers,
    );
    expect(lines.map(({ projectId, month, amount }) => [projectId, month, amount])).toEqual([
      ["prj_a", day(1), "13"],
      ["prj_a", day(32), "8"],
      ["prj_b", day(1), "8"],
    ]);
  });

  test("[BIL3] what a window adds to its month is shared by what was used", () => {
    const { rows } = rated([sum("3", { group: ["a"] }), sum("9", { group: ["b"] })], tiers);
    expect(rows.map((row) => row.amount)).toEqual(["2.75", "8.25"]); // 11 for 12, of which a used a quarter
  });

  test("[BIL3] of what some keys used, the amount is their share of all that was used", () => {
    const part = [sum("3", { group: ["a"] })];
    const everything = [sum("12")];
    const { rows, total } = rate(
      { sums: part, everything, before: [], tariffOf: () => createTariff(tiers) },
      { minorDigits: 2 },
    );
    expect({ amounts: rows.map((row) => row.amount), total }).toEqual({ amounts: ["2.75"], total: "2.75" });
  });

  test("[BIL3] a span in the middle of a month costs what it adds", () => {
    const { total } = rate(
      { sums: [sum("8", { windowStart: day(2) })], before: [sum("8")], tariffOf: () => createTariff(tiers) },
      { minorDigits: 2 },
    );
    expect(total).toBe("5.00");
  });
});

/** An event as histories are made of. */
interface Event {
  readonly project: string;
  readonly day: number;
  readonly price: number | null;
  readonly key: string | null;
  readonly run: string | null;
  readonly quantity: string;
}

const history = fc.array(
  fc.record({
    project: fc.constantFrom("prj_a", "prj_b"),
    // January and February.
    day: fc.integer({ min: 1, max: 59 }),
    price: fc.constantFrom(0, 1, 2),
    key: fc.constantFrom("a", "b", null),
    run: fc.constantFrom("a", "b", null),
    quantity: decimals(300),
  }),
  { maxLength: 40 },
);
const threePrices = fc.tuple(termsOfAnyKind, termsOfAnyKind, termsOfAnyKind);
const windows = fc.constantFrom("day" as const, "month" as const);
const groups = fc.subarray<"key" | "run">(["key", "run"]);

const windowOf = (of: number, unit: "day" | "month"): Date => (unit === "day" ? day(of) : monthOf(day(of)));

/** Sums events as the database does: apart by project, window, group and price. */
function sums(events: readonly Event[], unit: "day" | "month", by: readonly ("key" | "run")[]): RatableSum[] {
  const found = new Map<string, RatableSum>();
  for (const event of events) {
    const one = sum(event.quantity, {
      projectId: event.project,
      windowStart: windowOf(event.day, unit),
      group: by.map((group) => event[group]),
      priceId: event.price === null ? null : String(event.price),
    });
    const key = JSON.stringify([one.projectId, one.windowStart, one.group, one.priceId]);
    const known = found.get(key);
    const quantity = new Big(known?.quantity ?? 0).plus(event.quantity).toFixed();
    const count = (known?.events ?? 0) + 1;
    found.set(key, { ...one, quantity, events: count, countedEvents: count });
  }
  return [...found.values()];
}

/** The total as its definition says: each month of each project by each price, as one sum. */
function totalByDefinition(events: readonly Event[], prices: readonly PriceTerms[]): string {
  let total = new Big(0);
  for (const line of sums(events, "month", []))
    total = total.plus(
      createTariff(prices[Number(line.priceId)] ?? prices[0] ?? terms({ type: "per_unit", amount: "0" })).amountOf({
        quantity: new Big(line.quantity),
        events: new Big(line.countedEvents),
      }),
    );
  return total.toFixed();
}

describe("rating any history with any three prices", () => {
  const tariffs = (prices: readonly PriceTerms[]) => {
    const made = prices.map(createTariff);
    return (id: string) => made[Number(id)] ?? createTariff(terms({ type: "per_unit", amount: "0" }));
  };
  const by = (prices: readonly PriceTerms[]) => ({ before: [], tariffOf: tariffs(prices) });
  const form = { minorDigits: 2 };

  test("[BIL3] windows and groups change the rows and never the lines or the total; rows and lines add up to it", () => {
    fc.assert(
      fc.property(history, threePrices, windows, groups, (events, prices, unit, group) => {
        const answer = rate({ ...by(prices), sums: sums(events, unit, group) }, form);
        expect(answer.exactTotal).toBe(totalByDefinition(events, prices));
        expect(add(answer.rows.map((row) => row.amount))).toBe(answer.exactTotal);
        expect(add(answer.lines.map((line) => line.amount))).toBe(answer.exactTotal);
        expect(new Big(add(answer.lines.map((line) => line.roundedAmount))).toFixed(2)).toBe(answer.linesTotal);
        expect(answer.total).toBe(new Big(answer.exactTotal).round(2, Big.roundHalfEven).toFixed(2));
        expect(answer.rows.reduce((count, row) => count + row.events, 0)).toBe(events.length);
        expect(answer.lines).toEqual(rate({ ...by(prices), sums: sums(events, "month", []) }, form).lines);
      }),
    );
  });

  test("[BIL3] splitting a span changes nothing, wherever it is cut", () => {
    fc.assert(
      fc.property(
        history,
        threePrices,
        windows,
        groups,
        fc.integer({ min: 1, max: 60 }),
        (events, prices, unit, group, cut) => {
          const early = events.filter((event) => event.day < cut);
          const late = events.filter((event) => event.day >= cut);
          // Of the month that is cut, what came before the cut.
          const before = early.filter((event) => monthOf(day(event.day)).getTime() === monthOf(day(cut)).getTime());
          const parts = [
            rate({ ...by(prices), sums: sums(early, unit, group) }, form),
            rate({ ...by(prices), sums: sums(late, unit, group), before: sums(before, "month", []) }, form),
          ];
          expect(add(parts.map((part) => part.exactTotal))).toBe(totalByDefinition(events, prices));
        },
      ),
    );
  });

  test("[BIL3] the order of events and of sums changes nothing", () => {
    const shuffled = history.chain((events) =>
      fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
    );
    fc.assert(
      fc.property(shuffled, threePrices, windows, groups, ([events, mixed], prices, unit, group) => {
        const one = rate({ ...by(prices), sums: sums(events, unit, group) }, form);
        const other = rate({ ...by(prices), sums: sums(mixed, unit, group).toReversed() }, form);
        expect(other).toEqual(one);
      }),
    );
  });

  test("[BIL3] the shares of all keys, asked for one by one, add up to the whole", () => {
    fc.assert(
      fc.property(history, threePrices, windows, (events, prices, unit) => {
        const everything = sums(events, unit, []);
        const shares = ["a", "b", null].map((key) => {
          const own = sums(
            events.filter((event) => event.key === key),
            unit,
            [],
          );
          return rate({ ...by(prices), sums: own, everything }, form).exactTotal;
        });
        // Each share alone is cut after 24 digits.
        expect(new Big(add(shares)).minus(totalByDefinition(events, prices)).abs().lte("1e-20")).toBe(true);
      }),
    );
  });

  test("[BIL4] events without a price are counted, and change no amount", () => {
    fc.assert(
      fc.property(history, history, threePrices, windows, (events, others, prices, unit) => {
        const unknown = others.map((event) => ({ ...event, price: null }));
        const answer = rate({ ...by(prices), sums: sums([...events, ...unknown], unit, []) }, form);
        expect(answer.exactTotal).toBe(totalByDefinition(events, prices));
        expect(answer.unpricedEvents).toBe(unknown.length);
      }),
    );
  });
});
