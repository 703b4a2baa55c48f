import { describeLayer } from "../../testing/describe-layer.ts";
import { activation } from "./activation.ts";
import { dense } from "./dense.ts";
import { elu } from "./elu.ts";
import { flatten } from "./flatten.ts";
import { identity } from "./identity.ts";
import { inputLayer } from "./input-layer.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { masking } from "./masking.ts";
import { permute } from "./permute.ts";
import { prelu } from "./prelu.ts";
import { relu } from "./relu.ts";
import { repeatVector } from "./repeat-vector.ts";
import { rescaling } from "./rescaling.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";

const image = [4, 3, 2];

describeLayer("reshape", [
  { name: "to a matrix", make: () => reshape([6, 4]), input: image, output: [6, 4], wrongInput: [4, 3] },
  { name: "one size follows", make: () => reshape([2, -1]), input: image, output: [2, 12], wrongInput: [5] },
  { name: "to one number", make: () => reshape([]), input: [1, 1], output: [], wrongInput: [2] },
  { name: "steps of any number", make: () => reshape([-1, 2]), input: [6], output: [3, 2], anyLength: [0] },
]);

describeLayer("permute", [
  {
    name: "of a sequence",
    make: () => permute([2, 1]),
    input: [4, 3],
    output: [3, 4],
    wrongInput: [4],
    anyLength: [0],
  },
  { name: "of an image", make: () => permute([3, 1, 2]), input: image, output: [2, 4, 3], wrongInput: [4, 3] },
]);

describeLayer("repeatVector", [
  { name: "three times", make: () => repeatVector(3), input: [5], output: [3, 5], wrongInput: [2, 5] },
  { name: "once", make: () => repeatVector(1), input: [5], output: [1, 5] },
]);

describeLayer("masking", [
  { name: "zeros", make: () => masking(), input: [4, 3], output: [4, 3], wrongInput: [4], anyLength: [0] },
  { name: "another value", make: () => masking({ maskValue: -1 }), input: [4, 3], output: [4, 3] },
]);

describeLayer("identity", [{ name: "plain", make: () => identity(), input: image, output: image }]);

describeLayer("rescaling", [
  { name: "of pixels", make: () => rescaling(1 / 127.5, { offset: -1 }), input: image, output: image },
  { name: "nothing", make: () => rescaling(1), input: [3], output: [3] },
]);

describeLayer("relu", [
  { name: "by default", make: () => relu(), input: image, output: image },
  {
    name: "every setting",
    make: () => relu({ maxValue: 1, negativeSlope: 0.1, threshold: 0.3 }),
    input: [5],
    output: [5],
    anyLength: [0],
  },
]);

describeLayer("leakyRelu", [
  { name: "by default", make: () => leakyRelu(), input: image, output: image, dtype: "float32" },
]);

describeLayer("elu", [
  { name: "alpha", make: () => elu({ alpha: 0.5 }), input: image, output: image, dtype: "float32" },
]);

describeLayer("prelu", [
  {
    name: "a slope an element",
    make: () => prelu(),
    input: [4, 3],
    output: [4, 3],
    weights: { alpha: [4, 3] },
    dtype: "float32",
  },
  {
    name: "a slope a channel",
    make: () =>
      prelu({ sharedAxes: [1, 2], alphaInitializer: { type: "constant", value: 0.2 }, alphaRegularizer: "l2" }),
    input: image,
    output: image,
    weights: { alpha: [1, 1, 2] },
    dtype: "float32",
    wrongInput: [4],
  },
]);

describeLayer("softmax", [
  { name: "along the last axis", make: () => softmax(), input: [4, 3], output: [4, 3], anyLength: [0] },
  { name: "along steps", make: () => softmax({ axis: 1 }), input: [4, 3], output: [4, 3], wrongInput: [] },
]);

const picture = [6, 5, 3];

describeLayer("dense", [
  {
    name: "plain",
    make: () => dense(4, { activation: "tanh" }),
    input: [3],
    output: [4],
    weights: { kernel: [3, 4], bias: [4] },
    wrongInput: [],
  },
  {
    name: "on every row, without bias",
    make: () => dense(4, { useBias: false }),
    input: [2, 3],
    output: [2, 4],
    weights: { kernel: [3, 4] },
  },
  {
    name: "softmax",
    make: () => dense(4, { activation: "softmax" }),
    input: [3],
    output: [4],
    weights: { kernel: [3, 4], bias: [4] },
  },
]);

describeLayer("flatten", [
  { name: "of an picture", make: () => flatten(), input: picture, output: [90] },
  { name: "of a flat sample", make: () => flatten(), input: [4], output: [4] },
]);

describeLayer("activation", [
  { name: "relu", make: () => activation("relu"), input: picture, output: picture },
  { name: "softmax", make: () => activation("softmax"), input: picture, output: picture },
]);

describeLayer("inputLayer", [
  { name: "plain", make: () => inputLayer([2, 3]), input: [2, 3], output: [2, 3], wrongInput: [3, 2] },
]);
