import { tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import type { Signature, TensorPort } from "../engine.ts";
import { isBatchable, joinRows, splitRows } from "./rows.ts";

const port = (name: string, ...shape: (number | string)[]): TensorPort => ({ name, dtype: "float32", shape });
const signature = (input: TensorPort, output: TensorPort): Signature => ({ inputs: [input], outputs: [output] });

describe("isBatchable", () => {
  it("[BAT8] is true when all inputs and outputs begin with one named size", () => {
    expect(isBatchable(signature(port("x", "batch", 28, 28), port("y", "batch", 10)))).toBe(true);
  });

  it("[BAT8] is false for fixed sizes, other names, scalars, and a name that is used twice", () => {
    for (const [input, output] of [
      [port("x", 1, 28), port("y", 1, 10)],
      [port("x", "batch", 28), port("y", 1)],
      [port("x", "batch", 28), port("y", "batch*26")],
      [port("x", "batch", 28), port("y")],
      [port("x", "n", "n"), port("y", "n")],
    ] as const)
      expect(isBatchable(signature(input, output))).toBe(false);
    expect(isBatchable({ inputs: [], outputs: [port("y", "batch")] })).toBe(false);
  });
});

describe("joinRows and splitRows", () => {
  it("are inverse for numbers, big integers and texts", () => {
    const parts = [
      { x: tensor("string", [1, 2], ["a", "b"]), n: tensor("int64", [1], new BigInt64Array([1n])) },
      { x: tensor("string", [2, 2], ["c", "d", "e", "f"]), n: tensor("int64", [2], new BigInt64Array([2n, 3n])) },
    ];
    const both: Signature = {
      inputs: [
        { name: "x", dtype: "string", shape: ["batch", 2] },
        { name: "n", dtype: "int64", shape: ["batch"] },
      ],
      outputs: [],
    };
    const joined = joinRows(both, parts);
    expect(joined["x"]).toEqual(tensor("string", [3, 2], ["a", "b", "c", "d", "e", "f"]));
    expect(joined["n"]).toEqual(tensor("int64", [3], new BigInt64Array([1n, 2n, 3n])));
    expect(splitRows(joined, [1, 2])).toEqual(parts);
  });
});
