/** @file How several inputs meet: layouts, masks, and what does not fit. */

import { ShapeError } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { SpecError } from "../../errors.ts";
import { Model } from "../../model/model.ts";
import { input, type SymbolicTensor } from "../../network/symbolic.ts";
import { normalAt } from "../../random/hash.ts";
import { conv2d } from "../convolution/conv.ts";
import { dense } from "../core/dense.ts";
import { flatten } from "../core/flatten.ts";
import { masking } from "../core/masking.ts";
import { reshape } from "../core/reshape.ts";
import { softmax } from "../core/softmax.ts";
import { add } from "./add.ts";
import { concatenate } from "./concatenate.ts";
import { dot } from "./dot.ts";
import { maximum } from "./maximum.ts";
import { multiply } from "./multiply.ts";

const threads = { threads: 1 };
const image = input({ shape: [4, 4, 1] });
const x = { shape: [2, 4, 4, 1], data: Float32Array.from({ length: 32 }, (_, i) => normalAt(1, i)) };
const left = conv2d(2, 2, { name: "left" }).apply(image); // [3, 3, 2], kept channels first
const right = conv2d(2, 2, { name: "right" }).apply(image);
const gate = dense(2, { name: "gate" }).apply(flatten().apply(image)); // [2]

const cases = {
  add: add().apply([left, right]),
  maximum: maximum().apply([left, right]),
  gated: multiply().apply([left, gate]),
  channels: concatenate().apply([left, right]),
  rows: concatenate({ axis: 1 }).apply([left, right]),
  columns: concatenate({ axis: 2 }).apply([left, right]),
  flat: add().apply([flatten().apply(left), flatten().apply(right)]),
  mixed: add().apply([flatten().apply(left), reshape([18]).apply(right)]),
};

it("images that convolutions keep channels first meet as they are outside", async () => {
  const model = new Model({ inputs: image, outputs: [left, right, gate, ...Object.values(cases)] }, { seed: 5 });
  const answers = Object.values(await model.predictAll(x, threads)).map(({ data }) => Array.from(data));
  const [a = [], b = [], g = [], ...made] = answers;
  const sum = a.map((value, i) => value + (b[i] ?? 0));
  const along = (run: number): number[] => {
    const runs = a.length / run;
    return Array.from({ length: runs }, (_, i) => [
      ...a.slice(i * run, (i + 1) * run),
      ...b.slice(i * run, (i + 1) * run),
    ]).flat();
  };
  const expected = {
    add: sum,
    maximum: a.map((value, i) => Math.max(value, b[i] ?? 0)),
    gated: a.map((value, i) => value * (g[2 * Math.floor(i / 18) + (i % 2)] ?? 0)),
    channels: along(2),
    rows: along(18),
    columns: along(6),
    flat: sum,
    mixed: sum,
  };
  Object.values(expected).forEach((list, k) => {
    expect(made[k]?.length, Object.keys(expected)[k]).toBe(list.length);
    list.forEach((value, i) => void expect(made[k]?.[i], Object.keys(expected)[k]).toBeCloseTo(value, 5));
  });
  await model.close();
});

/** The mask that a tensor carries, seen by a softmax over steps: 0 where it is false. */
const counts = async (
  tensor: SymbolicTensor,
  inputs: readonly SymbolicTensor[],
  rows: Readonly<Record<string, readonly number[]>>,
) => {
  const model = new Model({ inputs, outputs: softmax({ axis: 1 }).apply(tensor) }, { seed: 1 });
  const feeds = Object.entries(rows).map(([name, row]) => [
    name,
    { shape: [1, row.length, 1], data: Float32Array.from(row) },
  ]);
  const { data } = await model.predict(Object.fromEntries(feeds), threads);
  await model.close();
  return Array.from(data, (value) => value > 0);
};

it("a step of a sum counts where it counts in every input; steps behind one another keep their masks", async () => {
  const declare = (name: string) => input({ shape: [3, 1], name });
  const [a, b, open] = [declare("a"), declare("b"), declare("open")];
  const [first, second] = [masking().apply(a), masking().apply(b)];
  const rows = { a: [1, 0, 1], b: [1, 1, 0], open: [0, 0, 0] };
  const both = await counts(add().apply([first, second]), [a, b], { a: rows.a, b: rows.b });
  expect(both).toEqual([true, false, false]);
  const one = await counts(add().apply([first, open]), [a, open], { a: rows.a, open: rows.open });
  expect(one).toEqual([true, false, true]);
  const behind = await counts(concatenate({ axis: 1 }).apply([first, open, second]), [a, open, b], rows);
  expect(behind).toEqual([true, false, true, true, true, true, true, true, false]);
});

it("a softmax over steps of nothing but padding is 0", async () => {
  const a = input({ shape: [2, 1] });
  const model = new Model({ inputs: a, outputs: softmax({ axis: 1 }).apply(masking().apply(a)) }, { seed: 1 });
  expect(Array.from((await model.predict([[[0], [0]]], threads)).data)).toEqual([0, 0]);
  await model.close();
});

it("tells what does not meet", () => {
  const [a, b] = [input({ shape: [3, 2] }), input({ shape: [4, 2] })];
  expect(() => add().apply([a, b])).toThrow(
    "add: expected samples of the same sizes, or 1 where one is repeated, received [3, 2] and [4, 2]",
  );
  expect(() => add().apply([a])).toThrow("add: expected 2 or more inputs, received 1 ([3, 2])");
  expect(() => concatenate().apply([a, b])).toThrow(ShapeError);
  expect(() => concatenate().apply([a, b])).toThrow(
    "concatenate: expected samples of the same sizes on all axes but -1, received [3, 2] and [4, 2]",
  );
  expect(() => concatenate({ axis: 4 }).apply([a, a])).toThrow("expected samples that have axis 4");
  expect(() => concatenate({ axis: 0 })).toThrow(SpecError);
  expect(() => dot([1, 2, 1])).toThrow("dot.axes: expected one axis, or one for each of two inputs, received 3");
  expect(() => dot(1).apply([a, b])).toThrow(
    "dot: expected the same size on axis 1 of the first and 1 of the second input, received [3, 2] and [4, 2]",
  );
  const masked = masking().apply(a);
  expect(() => new Model({ inputs: a, outputs: dot(2).apply([masked, masked]) })).toThrow(
    "dot would count padding as data",
  );
  const image = input({ shape: [5, 3, 2] });
  expect(() => new Model({ inputs: [a, image], outputs: add().apply([masked, image]) })).toThrow(
    "expected a mask on samples of 3 axes, received one on [3, 2]",
  );
});
