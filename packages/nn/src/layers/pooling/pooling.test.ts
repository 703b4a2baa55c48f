import { tensor } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { Model } from "../../model/model.ts";
import { input } from "../../network/symbolic.ts";
import { describeLayer } from "../../testing/describe-layer.ts";
import { masking } from "../core/masking.ts";
import { averagePooling1d, averagePooling2d, averagePooling3d } from "./average-pooling.ts";
import {
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalAveragePooling3d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  globalMaxPooling3d,
} from "./global-pooling.ts";
import { maxPooling1d, maxPooling2d, maxPooling3d } from "./max-pooling.ts";

const image = [6, 5, 3];
const dtype = "float32"; // the runtime has no other kernel for windows

describeLayer("maxPooling1d", [
  {
    name: "overlapping, same",
    make: () => maxPooling1d(3, { strides: 2, padding: "same" }),
    input: [7, 2],
    output: [4, 2],
    dtype,
    wrongInput: [7],
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

describeLayer("maxPooling3d", [
  {
    name: "by default",
    make: () => maxPooling3d(),
    input: [4, 2, 3, 2],
    output: [2, 1, 1, 2],
    dtype,
    wrongInput: image,
  },
]);

describeLayer("averagePooling1d", [
  {
    name: "any length",
    make: () => averagePooling1d(2),
    input: [6, 2],
    output: [3, 2],
    dtype,
    wrongInput: [1, 2],
    anyLength: [0],
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

describeLayer("averagePooling3d", [
  {
    name: "same",
    make: () => averagePooling3d(2, { padding: "same" }),
    input: [3, 2, 3, 2],
    output: [2, 1, 2, 2],
    dtype,
    wrongInput: image,
  },
]);

describeLayer("globalAveragePooling1d", [
  {
    name: "any length",
    make: () => globalAveragePooling1d(),
    input: [4, 3],
    output: [3],
    wrongInput: image,
    anyLength: [0],
  },
]);
describeLayer("globalAveragePooling2d", [
  {
    name: "keeps axes",
    make: () => globalAveragePooling2d({ keepdims: true }),
    input: image,
    output: [1, 1, 3],
    wrongInput: [3],
  },
]);
describeLayer("globalAveragePooling3d", [
  { name: "by default", make: () => globalAveragePooling3d(), input: [2, 2, 3, 2], output: [2], wrongInput: image },
]);
describeLayer("globalMaxPooling1d", [
  {
    name: "any length",
    make: () => globalMaxPooling1d({ keepdims: true }),
    input: [4, 3],
    output: [1, 3],
    wrongInput: image,
    anyLength: [0],
  },
]);
describeLayer("globalMaxPooling2d", [
  { name: "by default", make: () => globalMaxPooling2d(), input: image, output: [3], wrongInput: [3] },
]);
describeLayer("globalMaxPooling3d", [
  { name: "by default", make: () => globalMaxPooling3d(), input: [2, 2, 3, 2], output: [2], wrongInput: image },
]);

it("global pools count the steps that the mask keeps; of padding alone they make 0", async () => {
  const x = input({ shape: [3, 2] });
  const kept = masking({ maskValue: 9 }).apply(x);
  const model = new Model({
    inputs: x,
    outputs: [globalAveragePooling1d().apply(kept), globalMaxPooling1d().apply(kept)],
  });
  const rows = tensor("float32", [2, 3, 2], Float32Array.of(1, -4, 3, -2, 9, 9, 9, 9, 9, 9, 9, 9));
  const answers = await model.predictAll(rows, { threads: 1 });
  expect(Object.values(answers).map(({ data }) => Array.from(data))).toEqual([
    [2, -3, 0, 0],
    [3, -2, 0, 0],
  ]);
  await model.close();
});
