import { ShapeError } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { describeLoss } from "../testing/describe-loss.ts";
import { binaryCrossentropy } from "./binary-crossentropy.ts";
import { categoricalCrossentropy } from "./categorical-crossentropy.ts";
import { meanSquaredError } from "./mean-squared-error.ts";
import { sparseCategoricalCrossentropy } from "./sparse-categorical-crossentropy.ts";

const { log, exp } = Math;
const softplus = (x: number): number => log(1 + exp(x));
const sparse = () => sparseCategoricalCrossentropy().value;
const categorical = () => categoricalCrossentropy().value;
const binary = () => binaryCrossentropy().value;

describeLoss("sparseCategoricalCrossentropy", sparse, [
  {
    name: "after softmax",
    after: "Softmax",
    shape: [2, 3],
    values: [1, 2, 3, 0, 0, 0],
    target: [2, 1],
    expected: [log(exp(-2) + exp(-1) + 1), log(3)],
  },
  {
    name: "after softmax, far apart: no infinity",
    after: "Softmax",
    shape: [2, 2],
    values: [100, -100, 0, 60],
    target: [1, 1],
    expected: [200, 0],
  },
  { name: "probabilities", shape: [2, 2], values: [0.25, 0.75, 0.5, 0.5], target: [0, 1], expected: [log(4), log(2)] },
  { name: "probabilities that add up to 2", shape: [1, 2], values: [0.5, 1.5], target: [0], expected: [log(4)] },
  {
    name: "a label for each of two rows",
    after: "Softmax",
    shape: [1, 2, 2],
    values: [0, 0, 0, log(3)],
    target: [0, 1],
    expected: [log(2), log(4 / 3)],
  },
]);

describeLoss("categoricalCrossentropy", categorical, [
  {
    name: "after softmax, one of them soft",
    after: "Softmax",
    shape: [2, 2],
    values: [0, log(3), 0, log(3)],
    target: [0, 1, 0.5, 0.5],
    expected: [log(4 / 3), (log(4) + log(4 / 3)) / 2],
  },
  { name: "probabilities", shape: [1, 3], values: [0.2, 0.3, 0.5], target: [0, 0, 1], expected: [log(2)] },
]);

describeLoss("binaryCrossentropy", binary, [
  {
    name: "after sigmoid, at 0 too, where max and |x| would have no slope",
    after: "Sigmoid",
    shape: [3, 2],
    values: [0, 0, 2, -1, -3, 0.5],
    target: [1, 0, 1, 0, 0, 0.5],
    expected: [log(2), (softplus(-2) + softplus(-1)) / 2, (softplus(-3) + softplus(0.5) - 0.25) / 2],
  },
  {
    name: "after sigmoid, far out: no infinity",
    after: "Sigmoid",
    shape: [2, 1],
    values: [80, -80],
    target: [0, 0],
    expected: [80, 0],
  },
  { name: "probabilities", shape: [2, 1], values: [0.25, 0.5], target: [1, 0], expected: [log(4), log(2)] },
]);

describeLoss("meanSquaredError", () => meanSquaredError().value, [
  { name: "two outputs", shape: [2, 2], values: [1, 2, 3, 5], target: [1, 4, 0, 1], expected: [2, 12.5] },
]);

it("losses over classes refuse a single output, and say what to use", () => {
  for (const loss of [sparse(), categorical()]) {
    expect(() => loss.target([1])).toThrow(ShapeError);
    expect(() => loss.target([1])).toThrow("use binaryCrossentropy");
  }
});
