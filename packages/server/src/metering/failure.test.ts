import { AppError } from "@gristmill/contract";
import { describe, expect, test } from "vitest";
import { isShared, isWorthRepeating, toCallerError, unwritable } from "./failure.ts";

const failure = (code: string) => Object.assign(new Error(`PostgreSQL says ${code}`), { code });

describe("a failure of PostgreSQL", () => {
  test.each([
    // code, what it says, shared, worth repeating, the caller's code
    ["23503", "a project that does not exist", false, false, undefined],
    ["22P02", "a row that cannot be read", false, false, undefined],
    ["21000", "a row that conflicts with its neighbour", false, false, undefined],
    ["40P01", "a deadlock was broken", true, true, "database.unavailable"],
    ["53100", "the disk is full", true, false, "database.unavailable"],
    ["25006", "the server is read-only", true, false, "database.unavailable"],
    ["57014", "the statement was cancelled", true, false, "database.unavailable"],
    ["58030", "the disk cannot be written", true, false, "database.unavailable"],
    ["42P01", "a table is missing", true, false, undefined],
  ])("%s: %s", (code, _, shared, repeat, callerCode) => {
    const error = failure(code);
    expect(isShared(error)).toBe(shared);
    expect(isWorthRepeating(error)).toBe(repeat);
    const told = toCallerError(error);
    if (callerCode === undefined) expect(told).toBe(error);
    else expect(told).toMatchObject({ code: callerCode, cause: error });
  });
});

test("a lost connection is shared, worth repeating, and told as it is", () => {
  const lost = unwritable("gone");
  expect([isShared(lost), isWorthRepeating(lost), toCallerError(lost)]).toEqual([true, true, lost]);
});

test("what is no failure of PostgreSQL is told as it is", () => {
  const other = new AppError("internal", "a fault of ours");
  for (const error of [other, new TypeError("no code"), "not even an error"]) {
    expect(toCallerError(error)).toBe(error);
    expect(isWorthRepeating(error)).toBe(false);
    expect(isShared(error)).toBe(true);
  }
});
