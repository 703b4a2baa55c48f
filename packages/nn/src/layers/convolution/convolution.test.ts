import { describe, expect, it } from "vitest";
import { SpecError } from "../../errors.ts";
import { Model } from "../../model/model.ts";
import { Sequential } from "../../model/sequential.ts";
import { input } from "../../network/symbolic.ts";
import { describeLayer } from "../../testing/describe-layer.ts";
import { masking } from "../core/masking.ts";
import { conv1d, conv2d, conv3d } from "./conv.ts";
import { conv1dTranspose, conv2dTranspose, conv3dTranspose } from "./conv-transpose.ts";
import { depthwiseConv1d, depthwiseConv2d, separableConv1d, separableConv2d } from "./depthwise-conv.ts";

const image = [6, 5, 3];
const dtype = "float32"; // the runtime has no other kernel for convolutions

describeLayer("conv1d", [
  {
    name: "causal, dilated, on sequences of any length",
    make: () => conv1d(2, 3, { padding: "causal", dilations: 2 }),
    input: [7, 3],
    output: [7, 2],
    weights: { kernel: [3, 3, 2], bias: [2] },
    dtype,
    wrongInput: [7],
    anyLength: [0],
  },
  {
    name: "same, groups, on sequences of any length",
    make: () => conv1d(4, 4, { padding: "same", groups: 2, useBias: false }),
    input: [7, 4],
    output: [7, 4],
    weights: { kernel: [4, 2, 4] },
    dtype,
    wrongInput: [7, 3],
    anyLength: [0],
  },
  {
    name: "valid, strides",
    make: () => conv1d(2, 3, { strides: 2, activation: "tanh" }),
    input: [8, 2],
    output: [3, 2],
    weights: { kernel: [3, 2, 2], bias: [2] },
    dtype,
    wrongInput: [2, 2],
    anyLength: [0],
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

describeLayer("conv3d", [
  {
    name: "same, strides",
    make: () => conv3d(2, [2, 3, 1], { padding: "same", strides: [2, 1, 1] }),
    input: [3, 4, 2, 2],
    output: [2, 4, 2, 2],
    weights: { kernel: [2, 3, 1, 2, 2], bias: [2] },
    dtype,
    wrongInput: image,
  },
]);

describeLayer("depthwiseConv1d", [
  {
    name: "two filters a channel",
    make: () => depthwiseConv1d(3, { depthMultiplier: 2 }),
    input: [5, 3],
    output: [3, 6],
    weights: { kernel: [3, 3, 2], bias: [6] },
    dtype,
    wrongInput: [2, 3],
  },
]);

describeLayer("depthwiseConv2d", [
  {
    name: "same, strides",
    make: () => depthwiseConv2d(3, { padding: "same", strides: 2, useBias: false }),
    input: image,
    output: [3, 3, 3],
    weights: { kernel: [3, 3, 3, 1] },
    dtype,
    wrongInput: [5, 3],
  },
]);

describeLayer("separableConv1d", [
  {
    name: "by default",
    make: () => separableConv1d(2, 2),
    input: [5, 3],
    output: [4, 2],
    weights: { depthwise_kernel: [2, 3, 1], pointwise_kernel: [1, 3, 2], bias: [2] },
    dtype,
    wrongInput: [1, 3],
  },
]);

describeLayer("separableConv2d", [
  {
    name: "two filters a channel",
    make: () => separableConv2d(2, [2, 3], { depthMultiplier: 2, activation: "sigmoid" }),
    input: image,
    output: [5, 3, 2],
    weights: { depthwise_kernel: [2, 3, 3, 2], pointwise_kernel: [1, 1, 6, 2], bias: [2] },
    dtype,
    wrongInput: [1, 5, 3],
  },
]);

describeLayer("conv1dTranspose", [
  {
    name: "a kernel shorter than the stride: zeros between",
    make: () => conv1dTranspose(2, 2, { strides: 3 }),
    input: [3, 2],
    output: [9, 2],
    weights: { kernel: [2, 2, 2], bias: [2] },
    dtype,
    wrongInput: [3],
  },
]);

describeLayer("conv2dTranspose", [
  {
    name: "same, strides",
    make: () => conv2dTranspose(2, 3, { padding: "same", strides: 2 }),
    input: [3, 2, 3],
    output: [6, 4, 2],
    weights: { kernel: [3, 3, 2, 3], bias: [2] },
    dtype,
    wrongInput: [3, 2],
  },
  {
    name: "output padding",
    make: () => conv2dTranspose(2, 3, { strides: 2, outputPadding: 1, useBias: false, activation: "tanh" }),
    input: [2, 2, 3],
    output: [6, 6, 2],
    weights: { kernel: [3, 3, 2, 3] },
    dtype,
  },
]);

describeLayer("conv3dTranspose", [
  {
    name: "strides",
    make: () => conv3dTranspose(1, 2, { strides: 2 }),
    input: [2, 1, 2, 2],
    output: [4, 2, 4, 1],
    weights: { kernel: [2, 2, 2, 1, 2], bias: [1] },
    dtype,
    wrongInput: image,
  },
]);

describe("convolutions refuse, and say why,", () => {
  const read = (make: () => unknown) => expect(make);
  it("settings that do not fit together", () => {
    read(() => conv2d(3, 3, { groups: 2 })).toThrow("filters to be a multiple of groups");
    read(() => conv2d(3, 3, { strides: 2, dilations: 2 })).toThrow("expected strides or dilations of 1");
    read(() => conv2d(3, [3, 3, 3])).toThrow("kernelSize: expected a whole number from 1, or two of them");
    read(() => conv2d(3, 3, { padding: "causal" })).toThrow('padding: expected one of "valid", "same"');
    read(() => conv2dTranspose(3, 3, { outputPadding: 1 })).toThrow("expected less than the strides");
  });

  it("channels that do not split into the groups", () => {
    read(() => new Sequential([conv2d(4, 1, { groups: 2, inputShape: [4, 4, 3] })])).toThrow(SpecError);
  });

  it("masks whose steps are not those of the answer", () => {
    const model = (padding: "valid" | "causal") => {
      const x = input({ shape: [5, 2] });
      return new Model({ inputs: x, outputs: conv1d(2, 2, { padding }).apply(masking().apply(x)) });
    };
    expect(model("causal").outputShape).toEqual([5, 2]);
    read(() => model("valid")).toThrow("expected samples without a mask");
  });

  it("sizes that only the run knows, where they are needed", () => {
    read(() => new Sequential([conv1d(2, 3, { padding: "same", strides: 2, inputShape: [null, 2] })])).toThrow(
      'expected known sizes for padding "same"',
    );
    read(() => new Sequential([conv1dTranspose(2, 3, { inputShape: [null, 2] })])).toThrow("expected known sizes");
  });
});
