import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CheckedEvent, checkEvent } from "./cloud-event.ts";
import { countEvent, eventIdOf, recordId } from "./counting.ts";
import { unstorable } from "./json-bounds.ts";
import type { Meter } from "./meter.ts";
import { valueAt } from "./pointer.ts";
import { exactQuantity } from "./quantity.ts";
import { isReservedSource, isSource } from "./source-name.ts";

const bounds = { now: new Date("2026-04-10T12:00:00Z"), oldest: new Date("2020-01-01T00:00:00Z") };

describe("sources", () => {
  /** The same name in other letters and escapes. */
  const disguised = fc
    .tuple(
      ...[..."gristmill"].map((letter) =>
        fc.constantFrom(letter, letter.toUpperCase(), escaped(letter), escaped(escaped(letter))),
      ),
    )
    .map((letters) => letters.join(""));

  test("[EVT4] our name in any case, with any letters escaped, with anything after it that is no letter, is ours", () => {
    const before = fc.constantFrom("", "/", "//", "./", "https://", "urn:", "%20");
    const after = fc.constantFrom("", "/", "/x", ":x", "#", "?a=b", "%00", ".x", "%2F");
    fc.assert(
      fc.property(before, disguised, after, (head, name, tail) => {
        expect(isReservedSource(head + name + tail)).toBe(true);
      }),
    );
  });

  test("[EVT4] what is a source has no character that is not of a URI", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        const isPlain = /^[\x21-\x7e]+$/.test(text);
        if (!isPlain) expect(isSource(text)).toBe(false);
      }),
    );
  });
});

function escaped(letter: string): string {
  return [...letter].map((each) => `%${each.charCodeAt(0).toString(16)}`).join("");
}

describe("quantities", () => {
  test("[EVT6] text is taken digit by digit, and nothing else of text is a number", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^-?\d{1,20}(\.\d{1,11})?$/)), (text) => {
        const isQuantity = /^\d{1,18}(\.\d{1,9})?$/.test(text);
        expect(exactQuantity(text)).toBe(isQuantity ? text : undefined);
      }),
    );
  });

  test("[EVT6] any JSON number becomes a quantity that is nearest to it, or none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: 0, max: 1e6 }), fc.integer()), (number) => {
        const quantity = exactQuantity(number);
        if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) {
          expect(quantity).toBeUndefined();
          return;
        }
        expect(quantity).toMatch(/^\d{1,18}(\.\d{1,9})?$/);
        expect(Math.abs(Number(quantity) - number)).toBeLessThanOrEqual(5.1e-10 + number * 2.3e-16);
      }),
    );
  });
});

describe("events", () => {
  const meter = (more: Partial<Meter> = {}): Meter => ({
    id: "mtr_1",
    projectId: "prj_1",
    name: "m",
    eventType: "t",
    aggregation: "count",
    valueProperty: null,
    unit: "1",
    dimensions: {},
    createdAt: bounds.now,
    ...more,
  });
  const sent = (more: object) => ({ specversion: "1.0", id: "i", source: "s", type: "t", ...more });

  test("[EVT3] whatever is sent is checked and counted, or refused with a reason, and never throws", () => {
    const meters = [
      meter({ aggregation: "unique_count", valueProperty: "$.a", dimensions: { d: "$.b.c", s: "subject" } }),
      meter({ name: "n", aggregation: "sum", valueProperty: "$.q" }),
    ];
    fc.assert(
      fc.property(
        fc.record({
          data: fc.oneof(fc.jsonValue(), fc.record({ a: fc.jsonValue(), b: fc.jsonValue(), q: fc.jsonValue() })),
        }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (data, extensions) => {
          const event = checkEvent(sent({ ...extensions, ...data }), bounds);
          const counted = "code" in event ? event : countEvent(event, meters, null);
          if ("code" in counted) expect(counted.reason.length).toBeGreaterThan(0);
          else expect(counted).toHaveLength(2);
        },
      ),
    );
  });

  test("[EVT8] ids of an event's records are its own, whatever its id is: no two events share one", () => {
    const id = fc.string({ minLength: 1 }).filter((text) => !("code" in checkEvent(sent({ id: text }), bounds)));
    const name = fc.constantFrom(null, "a", "a.b", "b");
    fc.assert(
      fc.property(id, name, id, name, (one, first, other, second) => {
        const isSame = one === other && first === second;
        expect(recordId(one, first) === recordId(other, second)).toBe(isSame);
        expect(eventIdOf(recordId(one, first))).toBe(one);
      }),
    );
  });

  test("[EVT1] what is sent stays as it is, with the time that it is counted by", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, "2026-04-10T11:00:00+02:00"), (data, time) => {
        const event = checkEvent(sent({ data, ...(time === undefined ? {} : { time }) }), bounds) as CheckedEvent;
        expect(JSON.parse(event.text)).toEqual(
          JSON.parse(JSON.stringify(sent({ data, time: time ?? bounds.now.toISOString() }))),
        );
      }),
    );
  });

  test("[EVT3] a pointer finds only what the event says itself", () => {
    const event = { data: { a: { b: 1 }, list: [7] }, subject: "s" };
    expect(valueAt(event, "$.a.b")).toBe(1);
    expect(valueAt(event, "$.list.0")).toBe(7);
    expect(valueAt(event, "subject")).toBe("s");
    for (const pointer of [
      "$.a.c",
      "$.a.b.c",
      "$.toString",
      "$.a.__proto__",
      "$.a.constructor.name",
      "$.list.length.x",
    ])
      expect(valueAt(event, pointer)).toBeUndefined();
  });

  test("[EVT2] depth is counted without recursion", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 1_000_000; level++) deep = [deep];
    expect(unstorable(deep)).toMatch(/deeper than 32/);
    expect(unstorable({ a: { "b\0": 1 } })).toMatch(/U\+0000/);
    expect(unstorable(["\udc00"])).toMatch(/surrogate/);
    expect(unstorable({ a: [1, "é🦀", null, true] })).toBeUndefined();
  });
});
