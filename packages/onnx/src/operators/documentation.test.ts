import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findOperator, operatorNames } from "./table.ts";

const text = readFileSync(new URL("../../../../docs/operators.md", import.meta.url), "utf8");
const documented = text
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .filter(([, name]) => name !== undefined && /^[A-Z]/.test(name));

const counts = ([least, most]: readonly [number, number]): string => {
  if (least === most) return String(least);
  return most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
};

describe("docs/operators.md", () => {
  it("lists every operator of the table, and no other, in order", () => {
    expect(documented.map(([, name]) => name)).toEqual(operatorNames);
  });

  it("tells each operator's opset, inputs and outputs", () => {
    const told = documented.map(([, name, opset, inputs, outputs]) => ({ name, opset, inputs, outputs }));
    const actual = operatorNames.map((name) => {
      const entry = findOperator(name);
      if (entry === undefined) throw new Error(`${name} is not in the table`);
      return { name, opset: String(entry.since), inputs: counts(entry.inputs), outputs: counts(entry.outputs) };
    });
    expect(told).toEqual(actual);
  });
});
