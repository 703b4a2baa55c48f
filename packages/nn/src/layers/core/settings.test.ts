/** @file Settings that are wrong, by their message; and answers at the edges that random numbers do not meet. */
import { expect, it } from "vitest";
import { Sequential } from "../../model/sequential.ts";
import { batchNormalization } from "../normalization/batch-normalization.ts";
import { groupNormalization } from "../normalization/group-normalization.ts";
import { layerNormalization } from "../normalization/layer-normalization.ts";
import { unitNormalization } from "../normalization/unit-normalization.ts";
import { permute } from "./permute.ts";
import { prelu } from "./prelu.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";

it.each<[() => unknown, string]>([
  [
    () => reshape([2, -1, -1]),
    "reshape.targetShape: expected sizes of one sample's axes, such as [7, 7, 64]; one of them may be -1",
  ],
  [() => reshape([0]), "received [0]"],
  [
    () => permute([1, 1]),
    "permute.dims: expected every axis of a sample once, counted from 1, such as [2, 1], received [1,1]",
  ],
  [() => permute([0, 1]), "received [0,1]"],
  [() => relu({ maxValue: -1 }), "relu.maxValue: expected a number from 0, received -1"],
  [
    () => softmax({ axis: 0 }),
    "softmax.axis: expected a whole number other than 0: 1 for the first axis behind the batch",
  ],
  [() => prelu({ sharedAxes: [1.5] }), "prelu.sharedAxes: expected a whole number other than 0"],
  [() => layerNormalization({ axis: [] }), "layerNormalization.axis: expected a whole number other than 0"],
  [() => layerNormalization({ epsilon: 0 }), "layerNormalization.epsilon: expected a number above 0, received 0"],
  [
    () => batchNormalization({ momentum: 1 }),
    "batchNormalization.momentum: expected a number from 0 up to but without 1",
  ],
  [
    () => groupNormalization({ groups: 0 }),
    "groupNormalization.groups: expected a whole number from 1, or -1 for a group a channel",
  ],
  [
    () => new Sequential([groupNormalization({ groups: 3, inputShape: [2, 4] })]),
    "expected channels that 3 groups divide, received 4 in [2, 4]; set groups to one of their divisors",
  ],
  [() => new Sequential([layerNormalization({ axis: 2, inputShape: [4] })]), "expected samples that have axis 2"],
  [
    () => new Sequential([reshape([5], { inputShape: [4] })]),
    "expected a targetShape of the 4 elements of [4], received [5]",
  ],
])("%s is told", (make, message) => {
  expect(make).toThrow(message);
});

const answer = async (layer: ReturnType<typeof relu>, row: readonly number[]) => {
  const model = new Sequential([layer], { seed: 1 });
  const { data } = await model.predict([row], { threads: 1 });
  await model.close();
  return Array.from(data);
};

it("relu answers Keras' values at its bounds", async () => {
  const layer = relu({ maxValue: 2, negativeSlope: 0.5, threshold: 1, inputShape: [6] });
  expect(await answer(layer, [-1, 0, 1, 1.5, 2, 9])).toEqual([-1, -0.5, 0, 1.5, 2, 2]);
});

it("a vector of zeros has no direction and stays zeros", async () => {
  expect(await answer(unitNormalization({ inputShape: [2] }), [0, 0])).toEqual([0, 0]);
  const [x = 0, y = 0] = await answer(unitNormalization({ inputShape: [2] }), [3, 4]);
  expect([x, y]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
});

it("a softmax of huge numbers is finite", async () => {
  expect(await answer(softmax({ inputShape: [3] }), [1e30, -1e30, 0])).toEqual([1, 0, 0]);
});
