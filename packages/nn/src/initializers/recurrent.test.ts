import { describe, expect, it } from "vitest";
import { madeFrom } from "../schema/kind.ts";
import { initializers } from "./table.ts";

const draw = (shape: readonly number[], type: string, settings: object = {}) =>
  madeFrom(initializers, { type, ...settings })(shape, 4711);

describe("orthogonal", () => {
  it.each([
    { shape: [5, 5], gain: 1 },
    { shape: [7, 3], gain: 1 },
    { shape: [4, 16], gain: 2 },
    { shape: [3, 2, 4], gain: 1 },
    { shape: [1, 6], gain: 1 },
  ])("$shape has rows or columns of length $gain at right angles", ({ shape, gain }) => {
    const data = draw(shape, "orthogonal", { gain });
    const columns = shape.at(-1) ?? 1;
    const rows = data.length / columns;
    const at = (row: number, column: number) => data[row * columns + column] ?? Number.NaN;
    const few = Math.min(rows, columns);
    const many = Math.max(rows, columns);
    for (let i = 0; i < few; i++)
      for (let j = 0; j < few; j++) {
        const product = Array.from({ length: many }, (_, k) =>
          rows >= columns ? at(k, i) * at(k, j) : at(i, k) * at(j, k),
        ).reduce((a, b) => a + b, 0);
        expect(product).toBeCloseTo(i === j ? gain * gain : 0, 6);
      }
  });

  it("differs by key and not by chance", () => {
    expect(draw([4, 4], "orthogonal")).toEqual(draw([4, 4], "orthogonal"));
    expect(draw([4, 4], "orthogonal")).not.toEqual(madeFrom(initializers, { type: "orthogonal" })([4, 4], 4712));
  });
});

it("unitForgetBias is 1 for the forget gate and as it is told for the others", () => {
  expect(Array.from(draw([8], "unitForgetBias"))).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  expect(Array.from(draw([4], "unitForgetBias", { others: { type: "constant", value: 3 } }))).toEqual([3, 1, 3, 3]);
});
