import { tensor } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { Sequential } from "../../model/sequential.ts";
import { describeLayer } from "../../testing/describe-layer.ts";
import { cropping1d, cropping2d, cropping3d, zeroPadding1d, zeroPadding2d, zeroPadding3d } from "./margins.ts";
import { resizing, upSampling1d, upSampling2d, upSampling3d } from "./up-sampling.ts";

const image = [4, 5, 2];

describeLayer("zeroPadding1d", [
  {
    name: "before only",
    make: () => zeroPadding1d([2, 0]),
    input: [3, 2],
    output: [5, 2],
    wrongInput: [3],
    anyLength: [0],
  },
]);
describeLayer("zeroPadding2d", [
  {
    name: "each edge",
    make: () =>
      zeroPadding2d([
        [1, 0],
        [2, 3],
      ]),
    input: image,
    output: [5, 10, 2],
    wrongInput: [3],
  },
]);
describeLayer("zeroPadding3d", [
  { name: "by default", make: () => zeroPadding3d(), input: [1, 2, 3, 1], output: [3, 4, 5, 1], wrongInput: image },
]);
describeLayer("cropping1d", [
  { name: "by default", make: () => cropping1d(), input: [5, 2], output: [3, 2], wrongInput: [2, 2], anyLength: [0] },
]);
describeLayer("cropping2d", [
  {
    name: "each edge",
    make: () =>
      cropping2d([
        [1, 0],
        [0, 3],
      ]),
    input: image,
    output: [3, 2, 2],
    wrongInput: [1, 5, 2],
  },
]);
describeLayer("cropping3d", [
  { name: "one axis", make: () => cropping3d([0, 1, 0]), input: [1, 3, 2, 2], output: [1, 1, 2, 2], wrongInput: image },
]);

const dtype = "float32";
describeLayer("upSampling1d", [
  { name: "by default", make: () => upSampling1d(), input: [3, 2], output: [6, 2], dtype, wrongInput: [3] },
]);
describeLayer("upSampling2d", [
  { name: "nearest", make: () => upSampling2d([3, 1]), input: [2, 3, 2], output: [6, 3, 2], dtype, wrongInput: [3] },
  {
    name: "bilinear",
    make: () => upSampling2d(2, { interpolation: "bilinear" }),
    input: [2, 3, 2],
    output: [4, 6, 2],
    dtype,
  },
]);
describeLayer("upSampling3d", [
  {
    name: "one axis",
    make: () => upSampling3d([1, 2, 1]),
    input: [2, 1, 2, 2],
    output: [2, 2, 2, 2],
    dtype,
    wrongInput: image,
  },
]);
describeLayer("resizing", [
  { name: "smaller and larger", make: () => resizing(2, 7), input: image, output: [2, 7, 2], dtype, wrongInput: [3] },
  { name: "nearest", make: () => resizing(3, 3, { interpolation: "nearest" }), input: image, output: [3, 3, 2], dtype },
]);

it("bilinear sampling fills in between pixel centres, as pictures are shown", async () => {
  const model = new Sequential([upSampling2d([1, 2], { interpolation: "bilinear", inputShape: [1, 2, 1] })]);
  const row = await model.predict(tensor("float32", [1, 1, 2, 1], Float32Array.of(0, 4)), { threads: 1 });
  expect(Array.from(row.data)).toEqual([0, 1, 3, 4]);
  await model.close();
});

it("margins are read in every form, and wrong ones are told", () => {
  expect(zeroPadding2d(2).config).toEqual({
    padding: [
      [2, 2],
      [2, 2],
    ],
  });
  expect(zeroPadding2d([1, 2]).config).toEqual({
    padding: [
      [1, 1],
      [2, 2],
    ],
  });
  expect(zeroPadding1d([1, 2]).config).toEqual({ padding: [[1, 2]] });
  expect(() => zeroPadding2d(-1)).toThrow("padding: expected a whole number from 0, or two of them");
  expect(() => zeroPadding2d([1, 2, 3])).toThrow("received [1,2,3]");
});
