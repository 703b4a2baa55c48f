import { describeLoss } from "../testing/describe-loss.ts";
import { cosineSimilarity } from "./cosine-similarity.ts";
import { poisson } from "./distributions.ts";
import { hinge, squaredHinge } from "./hinge.ts";
import { meanAbsoluteError, meanAbsolutePercentageError, meanSquaredLogarithmicError } from "./mean-errors.ts";
import { huber, logCosh } from "./robust-errors.ts";

const { cosh, log, sqrt } = Math;

describeLoss("meanAbsoluteError", () => meanAbsoluteError().value, [
  { name: "two outputs", shape: [2, 2], values: [1, 2, 3, 5], target: [1.5, 4, 0, 1], expected: [1.25, 3.5] },
  { name: "single numbers", shape: [3], values: [1, -2, 3], target: [0, 0, 0], expected: [1, 2, 3] },
  { name: "equal", shape: [1, 2], values: [1, 2], target: [1, 2], expected: [0], bends: true },
]);

describeLoss("meanAbsolutePercentageError", () => meanAbsolutePercentageError().value, [
  { name: "either sign", shape: [2, 2], values: [1, 2, -3, 5], target: [2, 1, -4, -5], expected: [75, 112.5] },
  {
    name: "a target of 0 counts as 1e-7",
    shape: [1, 1],
    values: [1],
    target: [0],
    expected: [1e9],
    bends: true, // float32 differences of 1e9 say nothing
  },
]);

describeLoss("meanSquaredLogarithmicError", () => meanSquaredLogarithmicError().value, [
  { name: "rows", shape: [1, 2], values: [1, 2], target: [0, 3], expected: [(log(2) ** 2 + log(3 / 4) ** 2) / 2] },
  { name: "below 0 counts as 0", shape: [1, 1], values: [-0.5], target: [1], expected: [log(2) ** 2] },
]);

describeLoss("huber", () => huber().value, [
  {
    name: "near and far",
    shape: [2, 2],
    values: [0.5, 3, -2, 0],
    target: [0, 0, 0, 0.25],
    expected: [(0.125 + 2.5) / 2, (1.5 + 0.03125) / 2],
  },
  { name: "equal and at the bend", shape: [1, 2], values: [1, 4], target: [0, 4], expected: [0.25] },
]);
describeLoss("huber, delta 0.4", () => huber({ delta: 0.4 }).value, [
  { name: "near and far", shape: [1, 2], values: [0.2, -2], target: [0, 0], expected: [(0.02 + 0.72) / 2] },
]);

describeLoss("logCosh", () => logCosh().value, [
  {
    name: "at 0 and near",
    shape: [1, 3],
    values: [0, 1, -2],
    target: [0, 0, 0.5],
    expected: [(log(cosh(1)) + log(cosh(2.5))) / 3],
  },
  {
    name: "far out: no infinity",
    shape: [2, 1],
    values: [90, -300],
    target: [0, 0],
    expected: [90 - log(2), 300 - log(2)],
  },
]);

describeLoss("cosineSimilarity", () => cosineSimilarity().value, [
  {
    name: "rows",
    shape: [3, 2],
    values: [1, 0, 3, 4, 1, 1],
    target: [2, 0, -3, -4, 1, 0],
    expected: [-1, 1, -sqrt(0.5)],
  },
  { name: "a target of zeros", shape: [1, 2], values: [1, 2], target: [0, 0], expected: [0] },
  { name: "an output of zeros is finite", shape: [1, 2], values: [0, 0], target: [1, 2], expected: [0], bends: true },
]);

describeLoss("poisson", () => poisson().value, [
  {
    name: "rates and counts",
    shape: [1, 3],
    values: [1, 2, 0.5],
    target: [0, 3, 1],
    expected: [(1 + (2 - 3 * log(2)) + (0.5 - log(0.5))) / 3],
  },
]);

describeLoss("hinge", () => hinge().value, [
  {
    name: "signs",
    shape: [2, 2],
    values: [0.5, -0.25, 2, 2],
    target: [1, 1, 1, -1],
    expected: [(0.5 + 1.25) / 2, 1.5],
  },
  { name: "0 means -1", shape: [1, 2], values: [0.5, -3], target: [0, 0], expected: [0.75] },
]);
describeLoss("squaredHinge", () => squaredHinge().value, [
  { name: "signs", shape: [1, 2], values: [0.5, -0.25], target: [1, 1], expected: [(0.25 + 1.5625) / 2] },
  { name: "at the margin", shape: [1, 1], values: [1], target: [1], expected: [0], bends: true },
]);
