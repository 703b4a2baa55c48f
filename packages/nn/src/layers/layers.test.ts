import { describeLayer } from "../testing/describe-layer.ts";
import { activation } from "./activation.ts";
import { averagePooling2d } from "./average-pooling2d.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import { flatten } from "./flatten.ts";
import { inputLayer } from "./input-layer.ts";
import { maxPooling2d } from "./max-pooling2d.ts";

const image = [6, 5, 3];

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

describeLayer("conv2d", [
  {
    name: "valid",
    make: () => conv2d(2, 3, { activation: "sigmoid" }),
    input: image,
    output: [4, 3, 2],
    weights: { kernel: [3, 3, 3, 2], bias: [2] },
    dtype: "float32",
    wrongInput: [2, 5, 3],
  },
  {
    name: "same, strides",
    make: () => conv2d(4, [2, 3], { padding: "same", strides: [2, 1], useBias: false }),
    input: image,
    output: [3, 5, 4],
    weights: { kernel: [2, 3, 3, 4] },
    dtype: "float32",
    wrongInput: [30],
  },
  {
    name: "dilations, softmax over channels",
    make: () => conv2d(3, 2, { dilations: [2, 3], activation: "softmax" }),
    input: image,
    output: [4, 2, 3],
    weights: { kernel: [2, 2, 3, 3], bias: [3] },
    dtype: "float32",
    wrongInput: [6, 3, 3],
  },
]);

describeLayer("maxPooling2d", [
  {
    name: "by default",
    make: () => maxPooling2d(),
    input: image,
    output: [3, 2, 3],
    wrongInput: [1, 5, 3],
    dtype: "float32",
  },
  {
    name: "overlapping, same",
    make: () => maxPooling2d(3, { strides: 2, padding: "same" }),
    input: image,
    output: [3, 3, 3],
    wrongInput: [6],
  },
]);

describeLayer("averagePooling2d", [
  {
    name: "by default",
    make: () => averagePooling2d(),
    input: image,
    output: [3, 2, 3],
    wrongInput: [6, 5],
    dtype: "float32",
  },
  {
    name: "overlapping, same",
    make: () => averagePooling2d([2, 3], { strides: [1, 2], padding: "same" }),
    input: image,
    output: [6, 3, 3],
    dtype: "float32",
  },
]);

describeLayer("flatten", [
  { name: "of an image", make: () => flatten(), input: image, output: [90] },
  { name: "of a flat sample", make: () => flatten(), input: [4], output: [4] },
]);

describeLayer("dropout", [
  { name: "a half", make: () => dropout(0.5), input: [6], output: [6] },
  { name: "nothing", make: () => dropout(0), input: [6], output: [6] },
]);

describeLayer("activation", [
  { name: "relu", make: () => activation("relu"), input: image, output: image },
  { name: "softmax", make: () => activation("softmax"), input: image, output: image },
]);

describeLayer("inputLayer", [
  { name: "plain", make: () => inputLayer([2, 3]), input: [2, 3], output: [2, 3], wrongInput: [3, 2] },
]);
