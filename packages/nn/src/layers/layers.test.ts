import { describeLayer } from "../testing/describe-layer.ts";
import { activation } from "./activation.ts";
import { dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import { flatten } from "./flatten.ts";
import { inputLayer } from "./input-layer.ts";

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
