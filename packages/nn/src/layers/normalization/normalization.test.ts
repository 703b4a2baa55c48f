import { describeLayer } from "../../testing/describe-layer.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { groupNormalization } from "./group-normalization.ts";
import { layerNormalization } from "./layer-normalization.ts";
import { rmsNormalization } from "./rms-normalization.ts";
import { unitNormalization } from "./unit-normalization.ts";

const image = [3, 2, 4];
const of =
  (...names: readonly string[]) =>
  (size: number) =>
    Object.fromEntries(names.map((name) => [name, [size]]));
const batchWeights = of("gamma", "beta", "moving_mean", "moving_variance");

describeLayer("batchNormalization", [
  {
    name: "of rows",
    make: () => batchNormalization(),
    input: [5],
    output: [5],
    weights: batchWeights(5),
    wrongInput: [],
  },
  { name: "of images", make: () => batchNormalization(), input: image, output: image, weights: batchWeights(4) },
  {
    name: "without gain and offset",
    make: () => batchNormalization({ center: false, scale: false, momentum: 0.8 }),
    input: [3, 4],
    output: [3, 4],
    weights: of("moving_mean", "moving_variance")(4),
    anyLength: [0],
  },
  {
    name: "over axis 1",
    make: () => batchNormalization({ axis: 1 }),
    input: [3, 4],
    output: [3, 4],
    weights: batchWeights(3),
  },
]);

describeLayer("layerNormalization", [
  {
    name: "of a sequence",
    make: () => layerNormalization(),
    input: [3, 4],
    output: [3, 4],
    weights: of("gamma", "beta")(4),
    wrongInput: [],
    anyLength: [0],
  },
  {
    name: "over two axes",
    make: () => layerNormalization({ axis: [3, 2], gammaRegularizer: "l1" }),
    input: image,
    output: image,
    weights: { gamma: [2, 4], beta: [2, 4] },
    wrongInput: [4],
  },
  {
    name: "over time, without offset",
    make: () => layerNormalization({ axis: 1, center: false }),
    input: [3, 4],
    output: [3, 4],
    weights: { gamma: [3] },
  },
  {
    name: "neither gain nor offset",
    make: () => layerNormalization({ center: false, scale: false, epsilon: 1e-6 }),
    input: [3, 4],
    output: [3, 4],
  },
]);

describeLayer("rmsNormalization", [
  {
    name: "of a sequence",
    make: () => rmsNormalization(),
    input: [3, 4],
    output: [3, 4],
    weights: { scale: [4] },
    anyLength: [0],
  },
  {
    name: "over two axes",
    make: () => rmsNormalization({ axis: [2, 3] }),
    input: image,
    output: image,
    weights: { scale: [2, 4] },
  },
]);

describeLayer("groupNormalization", [
  {
    name: "two groups of an image",
    make: () => groupNormalization({ groups: 2 }),
    input: image,
    output: image,
    weights: of("gamma", "beta")(4),
    wrongInput: [3, 5],
  },
  {
    name: "a group a channel",
    make: () => groupNormalization({ groups: -1, center: false }),
    input: [3, 4],
    output: [3, 4],
    weights: { gamma: [4] },
  },
  {
    name: "of rows",
    make: () => groupNormalization({ groups: 2, scale: false, center: false }),
    input: [6],
    output: [6],
  },
]);

describeLayer("unitNormalization", [
  { name: "by default", make: () => unitNormalization(), input: [3, 4], output: [3, 4], anyLength: [0] },
  { name: "over all axes", make: () => unitNormalization({ axis: [1, 2] }), input: [3, 4], output: [3, 4] },
]);
