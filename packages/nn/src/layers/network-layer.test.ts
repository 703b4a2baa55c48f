import { expect, it } from "vitest";
import { SpecError } from "../errors.ts";
import { Model } from "../model/model.ts";
import { input } from "../network/symbolic.ts";
import { size } from "../schema/field.ts";
import { dense } from "./core/dense.ts";
import { defineComposite } from "./network-layer.ts";
import { registerLayer } from "./registry.ts";

const funnel = defineComposite({
  type: "testFunnel",
  fields: { width: size() },
  compose({ width }, [x]) {
    if (x === undefined) throw new Error("no input");
    const shared = dense(width, { name: "shared" });
    const up = dense(width, { name: "up", activation: "tanh" }).apply(x);
    return shared.apply(shared.apply(up));
  },
});
registerLayer(funnel);

it("a composed layer has the weights of its parts, each once, trains, and comes back from its JSON and file", async () => {
  const x = input({ shape: [4] });
  const y = funnel.make({ width: 3, name: "funnel" }).apply(x);
  const model = new Model({ inputs: x, outputs: dense(1).apply(y) }, { seed: 3 });
  expect(model.getWeights().map(({ name }) => name)).toEqual([
    "funnel/up/kernel",
    "funnel/up/bias",
    "funnel/shared/kernel",
    "funnel/shared/bias",
    "dense_1/kernel",
    "dense_1/bias",
  ]);
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const rows = [
    [1, 2, 3, 4],
    [0, 1, 0, 1],
  ];
  const before = (await model.evaluate(rows, [[1], [0]], { threads: 1 })).loss;
  await model.fit(rows, [[1], [0]], { epochs: 20, threads: 1 });
  expect((await model.evaluate(rows, [[1], [0]], { threads: 1 })).loss).toBeLessThan(before);
  const again = Model.load(model.save());
  expect(again.toSpec()).toEqual(model.toSpec());
  expect(await again.predict(rows, { threads: 1 })).toEqual(await model.predict(rows, { threads: 1 }));
  await Promise.all([model.close(), again.close()]);
});

it("a part that does not fit is named by its path", () => {
  const broken = defineComposite({
    type: "testBroken",
    fields: {},
    compose: (_, [x]) => (x === undefined ? [] : dense(2, { name: "inner", inputShape: [9] }).apply(x)),
  });
  const x = input({ shape: [4] });
  expect(() => new Model({ inputs: x, outputs: broken.make({ name: "outer" }).apply(x) })).toThrow(SpecError);
  expect(() => new Model({ inputs: x, outputs: broken.make({ name: "outer" }).apply(x) })).toThrow(
    "outer/inner: expected inputShape [4]",
  );
});
