import { expect, it } from "vitest";
import { dense } from "../layers/core/dense.ts";
import { Model } from "../model/model.ts";
import { Sequential } from "../model/sequential.ts";
import { input } from "../network/symbolic.ts";
import { parseSpec } from "./model-spec.ts";
import { subModel } from "./sub-model.ts";

const inner = () => new Sequential([dense(3, { activation: "tanh", inputShape: [2] }), dense(2)], { seed: 9 });
const rows = [
  [1, 2],
  [0, 1],
];

it("a model is a layer of another, answers the same with its weights, and can be frozen", async () => {
  const trained = inner();
  const x = input({ shape: [2] });
  const model = new Model({ inputs: x, outputs: subModel(trained, { name: "body", trainable: false }).apply(x) });
  model.loadWeights(trained.getWeights(), { prefix: "body/" });
  expect(await model.predict(rows, { threads: 1 })).toEqual(await trained.predict(rows, { threads: 1 }));
  expect(model.parameterCount).toBe(0);
  const again = Model.load(model.save());
  expect(again.toSpec()).toEqual(model.toSpec());
  expect(await again.predict(rows, { threads: 1 })).toEqual(await trained.predict(rows, { threads: 1 }));
  expect(() => model.loadWeights(trained.getWeights())).toThrow("dense_1/kernel: the model has no such weight");
  await Promise.all([model.close(), trained.close(), again.close()]);
});

it("descriptions of models within models are read to their problems' places, and no deeper than 16", () => {
  const within = (model: unknown) => ({ inputShape: [2], layers: [{ type: "model", model }] });
  const wrong = within({ inputShape: [2], layers: [{ type: "dense", units: 0 }] });
  expect(() => parseSpec(wrong)).toThrow("layers[0] (model).model.layers[0] (dense).units: expected a whole number");
  let deep: unknown = inner().toSpec();
  for (let i = 0; i < 40; i++) deep = within(deep);
  expect(() => parseSpec(deep)).toThrow("at most 16 layers within each other");
});
