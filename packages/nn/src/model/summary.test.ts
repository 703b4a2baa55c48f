import { expect, it } from "vitest";
import { conv2d } from "../layers/convolution/conv.ts";
import { dense } from "../layers/core/dense.ts";
import { flatten } from "../layers/core/flatten.ts";
import { maxPooling2d } from "../layers/pooling/max-pooling.ts";
import { input } from "../network/symbolic.ts";
import { Model } from "./model.ts";
import { Sequential } from "./sequential.ts";

it("says of each layer its shape, weights and arithmetic", () => {
  const model = new Sequential([
    conv2d(32, 3, { activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d(),
    flatten(),
    dense(128, { activation: "relu", trainable: false }),
    dense(10, { activation: "softmax" }),
  ]);
  const [conv, pool, flat, hidden] = model.layers();
  const map = 26 * 26 * 32;
  expect(conv).toEqual({
    name: "conv2d_1",
    type: "conv2d",
    inputs: ["input"],
    outputs: [[26, 26, 32]],
    parameters: 9 * 32 + 32,
    trainable: 9 * 32 + 32,
    flops: 2 * 9 * map + map,
  });
  expect([pool?.flops, flat?.flops]).toEqual([map + map / 4, 0]); // the relu moves behind the pool
  expect(hidden).toMatchObject({ parameters: 5408 * 128 + 128, trainable: 0, flops: 2 * 5408 * 128 + 128 });
  expect(model.summary()).toMatchInlineSnapshot(`
    "Layer (type)                   Output shape         Parameters   FLOPs
    ----------------------------------------------------------------------
    conv2d_1 (conv2d)              [batch, 26, 26, 32]         320   411 k
    maxPooling2d_1 (maxPooling2d)  [batch, 13, 13, 32]           0  27.0 k
    flatten_1 (flatten)            [batch, 5408]                 0       0
    dense_1 (dense)                [batch, 128]            692,352  1.38 M
    dense_2 (dense)                [batch, 10]               1,290  2.57 k
    ----------------------------------------------------------------------
    Input: [batch, 28, 28, 1]
    Parameters: 693,962 (1,610 trainable)
    FLOPs for one sample: 1.83 M"
  `);
});

it("says what is connected to what where layers do not follow one another", () => {
  const x = input({ shape: [4], name: "left" });
  const y = input({ shape: [4], name: "right" });
  const shared = dense(2, { name: "shared" });
  const model = new Model({ inputs: [x, y], outputs: [shared.apply(x), shared.apply(y)] });
  expect(model.layers()).toMatchObject([{ inputs: ["left", "right"], outputs: [[2], [2]], parameters: 10 }]);
  expect(model.summary()).toContain("left, right");
});
