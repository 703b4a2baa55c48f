import { describe, expect, it } from "vitest";
import {
  activations,
  defineLayer,
  dense,
  fields,
  initializers,
  losses,
  metrics,
  plain,
  regularizers,
  Sequential,
  SpecError,
} from "../index.ts";

const gated = defineLayer({
  type: "testGated",
  fields: {
    units: fields.size(),
    rate: fields.fraction(0.1),
    mode: fields.oneOf(["soft", "hard"], "soft"),
    gate: fields.activation("sigmoid"),
    start: fields.initializer("zeros"),
    penalty: fields.regularizer(),
    even: fields.field("an even number", (value) => (Number(value) % 2 === 0 ? Number(value) : undefined), 2),
  },
  outputShape: ({ units }) => [units],
  parameters: ({ units, start, penalty }, [width = 1]) => [
    { name: "kernel", shape: [Number(width), units], initializer: start, regularizer: penalty ?? undefined },
  ],
  build: ({ units }, { math, weight }, input) => plain(math.product(input.value, weight("kernel")), [units]),
});

describe("fields of a layer of one's own", () => {
  it("read settings and fill in the others", () => {
    expect(gated.make({ units: 2, gate: activations.leakyRelu({ negativeSlope: 0.5 }) }).config).toEqual({
      units: 2,
      rate: 0.1,
      mode: "soft",
      gate: { type: "leakyRelu", negativeSlope: 0.5 },
      start: { type: "zeros" },
      penalty: null,
      even: 2,
    });
  });

  it("tell all that is wrong, with its place", () => {
    const wrong = () => gated.make({ rate: 1, mode: "loft", start: "zero", even: 3 });
    expect(wrong).toThrow(SpecError);
    for (const said of [
      "testGated.units: expected a whole number from 1, received nothing: the field is required",
      "testGated.rate: expected a number from 0 up to but without 1, received 1",
      'testGated.mode: expected one of "soft", "hard", received "loft" (did you mean "soft"?)',
      'testGated.start: unknown initializer "zero" (did you mean "zeros"?)',
      "testGated.even: expected an even number, received 3",
    ])
      expect(wrong).toThrow(said);
  });
});

it("a thing of a kind is the same by its name, as JSON and made by its function", () => {
  const layers = [
    { activation: "tanh", kernelInitializer: "heNormal", biasRegularizer: "l2" } as const,
    {
      activation: { type: "tanh" },
      kernelInitializer: { type: "heNormal" },
      biasRegularizer: { type: "l2", l2: 0.01 },
    },
    {
      activation: activations.tanh(),
      kernelInitializer: initializers.heNormal(),
      biasRegularizer: regularizers.l2(),
    },
  ].map((options) => dense(2, { ...options, inputShape: [3] }));
  const [first, ...others] = layers.map(({ config }) => config);
  for (const other of others) expect(other).toEqual(first);

  const spec = (loss: "huber" | ReturnType<typeof losses.huber>) => {
    const model = new Sequential(layers.slice(0, 1));
    model.compile({ optimizer: "adam", loss, metrics: ["auc", metrics.topKCategoricalAccuracy({ k: 2 })] });
    return model.compileSpec;
  };
  expect(spec(losses.huber())).toEqual(spec("huber"));
});
