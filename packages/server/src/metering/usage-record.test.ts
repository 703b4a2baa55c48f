import type { Meter, ProjectId } from "@gristmill/contract";
import { describe, expect, test } from "vitest";
import type { UsageRecord } from "./ledger.ts";
import { eventOf } from "./testing/events.ts";
import { checkEstimates, checkRecords } from "./usage-record.ts";

const check = (more: Partial<UsageRecord>) => () => checkRecords([eventOf("evt", more)], "use");

describe("[MET8] a record that the ledger cannot hold is refused before it joins a group", () => {
  test.each<[string, Partial<UsageRecord>, RegExp]>([
    ["an empty id", { id: "" }, /id of 1 to 320/],
    ["a long id", { id: "x".repeat(321) }, /id of 1 to 320/],
    ["an id with NUL", { id: "a\0b" }, /id of 1 to 320/],
    ["half a surrogate pair", { id: "\ud800" }, /id of 1 to 320/],
    [
      "an unknown meter",
      { meter: "made.up" as Meter },
      /evt: expected a meter, one of data.bytes_processed.*received made.up/,
    ],
    ["an inherited name", { meter: "toString" as Meter }, /expected a meter/],
    ["a negative quantity", { quantity: "-1" }, /expected a quantity/],
    ["a negative whole number", { quantity: -1n }, /expected a quantity/],
    ["zero", { quantity: "0.000" }, /above zero/],
    ["whole zero", { quantity: 0n }, /above zero/],
    ["an exponent", { quantity: "1e3" }, /expected a quantity/],
    ["no number", { quantity: "NaN" }, /expected a quantity/],
    ["too many digits", { quantity: "0.0000000001" }, /expected a quantity/],
    ["no date", { time: new Date(Number.NaN) }, /years 2020 to 2099/],
    ["a time too early", { admittedAt: new Date("2019-12-31T23:59:59.999Z") }, /years 2020 to 2099/],
    ["a time too late", { time: new Date("2100-01-01T00:00:00Z") }, /years 2020 to 2099/],
    [
      "many dimensions",
      { dimensions: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`d${i}`, ""])) },
      /at most 16/,
    ],
    ["a nameless dimension", { dimensions: { "": "x" } }, /names of dimensions/],
    ["a long dimension", { dimensions: { model: "x".repeat(513) } }, /values of dimensions/],
    ["a dimension that is no text", { dimensions: { model: 1 as unknown as string } }, /values of dimensions/],
  ])("%s", (_, more, message) => {
    expect(check(more)).toThrow(message);
    expect(check(more)).toThrow(expect.objectContaining({ code: "internal" }));
  });

  test("too many records", () => {
    expect(() =>
      checkRecords(
        Array.from({ length: 1001 }, (_, number) => eventOf(`evt-${number}`)),
        "any",
      ),
    ).toThrow(/at most 1000 records/);
  });
});

test("records at the limits pass", () => {
  expect(
    check({
      id: "x".repeat(320),
      quantity: "999999999999999999.999999999",
      dimensions: { model: "x".repeat(512), empty: "" },
    }),
  ).not.toThrow();
  expect(
    check({ quantity: 1n, time: new Date("2020-01-01T00:00:00Z"), admittedAt: new Date("2099-12-31T23:59:59.999Z") }),
  ).not.toThrow();
});

test("estimates may be zero, and are otherwise as strict", () => {
  const claim = (meter: string, quantity: string) => () =>
    checkEstimates({
      id: "req_1",
      projectId: "prj_1" as ProjectId,
      keyId: null,
      estimates: [{ meter, quantity, dimensions: {} }],
    });
  expect(claim("service.images", "0")).not.toThrow();
  expect(claim("service.images", "-1")).toThrow(/expected a quantity/);
  expect(claim("made.up", "1")).toThrow(/expected a meter/);
});

test("what settles nothing may be zero or less, and is otherwise as strict", () => {
  const record = (quantity: string) => () => checkRecords([eventOf("evt", { quantity })], "any");
  for (const quantity of ["0", "-0.000000001", "-999999999999999999"]) expect(record(quantity)).not.toThrow();
  for (const quantity of ["--1", "-", "-1e3", "-Infinity", "-0.0000000001"])
    expect(record(quantity)).toThrow(/expected a quantity/);
});
