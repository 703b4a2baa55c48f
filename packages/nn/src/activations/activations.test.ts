import { createSession, GraphBuilder, model, ShapeError, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { plain } from "../layers/features.ts";
import { Problems } from "../schema/problems.ts";
import { describeActivation } from "../testing/describe-activation.ts";
import { activatedShape, activationField, anyActivationField } from "./field.ts";
import { type ActivationName, activations } from "./table.ts";

const { abs, exp, log, max, min, sqrt, tanh, PI } = Math;
const each = (one: (x: number) => number) => (row: readonly number[]) => row.map(one);
const sigmoid = (x: number): number => 1 / (1 + exp(-x));
const softplus = (x: number): number => max(x, 0) + Math.log1p(exp(-abs(x)));
const clip = (x: number, low: number, high: number): number => min(max(x, low), high);
const softmax = (row: readonly number[]): number[] => {
  const powers = row.map((x) => exp(x - max(...row)));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};

/** Abramowitz and Stegun 7.1.26 is right to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * abs(x));
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * exp(-x * x));
}

/** By trying every number of shares that are not 0. */
function sparsemax(row: readonly number[]): number[] {
  const sorted = [...row].sort((a, b) => b - a);
  for (let k = row.length; k > 0; k--) {
    const level = (sorted.slice(0, k).reduce((a, b) => a + b) - 1) / k;
    if ((sorted[k - 1] ?? 0) > level) return row.map((x) => max(x - level, 0));
  }
  return [];
}

describeActivation("linear", { formula: each((x) => x) });
describeActivation("relu", { formula: each((x) => max(x, 0)), kinks: [0] });
describeActivation("relu", {
  settings: { negativeSlope: 0.1, maxValue: 2, threshold: 0.3 },
  formula: each((x) => (x >= 2 ? 2 : x >= 0.3 ? x : 0.1 * (x - 0.3))),
  kinks: [0.3, 2],
});
describeActivation("relu", {
  settings: { negativeSlope: 0.25 },
  formula: each((x) => (x > 0 ? x : x / 4)),
  kinks: [0],
});
describeActivation("relu6", { formula: each((x) => clip(x, 0, 6)), kinks: [0, 6] });
describeActivation("leakyRelu", { formula: each((x) => (x > 0 ? x : 0.2 * x)), kinks: [0] });
describeActivation("threshold", {
  settings: { threshold: 0.35, defaultValue: -1 },
  formula: each((x) => (x > 0.35 ? x : -1)),
  kinks: [0.35],
});
describeActivation("elu", {
  settings: { alpha: 0.3 },
  formula: each((x) => (x > 0 ? x : 0.3 * (exp(x) - 1))),
  kinks: [0],
});
describeActivation("selu", {
  formula: each((x) => 1.05070098 * (x > 0 ? x : 1.67326324 * (exp(x) - 1))),
  kinks: [0],
});
describeActivation("celu", { settings: { alpha: 0.5 }, formula: each((x) => (x > 0 ? x : 0.5 * (exp(2 * x) - 1))) });
describeActivation("exponential", { formula: each(exp), most: 6 });
describeActivation("gelu", { formula: each((x) => (x / 2) * (1 + erf(x * Math.SQRT1_2))) });
describeActivation("gelu", {
  settings: { approximate: true },
  formula: each((x) => (x / 2) * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x ** 3)))),
});
describeActivation("silu", { formula: each((x) => x * sigmoid(x)) });
describeActivation("hardSilu", { formula: each((x) => x * clip(x / 6 + 0.5, 0, 1)), kinks: [-3, 3] });
describeActivation("mish", { formula: each((x) => x * tanh(softplus(x))) });
describeActivation("glu", { formula: ([a = 0, b = 0, c = 0, d = 0]) => [a * sigmoid(c), b * sigmoid(d)] });
describeActivation("sigmoid", { formula: each(sigmoid) });
describeActivation("hardSigmoid", { formula: each((x) => clip(x / 6 + 0.5, 0, 1)), kinks: [-3, 3] });
describeActivation("sparseSigmoid", { formula: each((x) => clip((x + 1) / 2, 0, 1)), kinks: [-1, 1] });
describeActivation("logSigmoid", { formula: each((x) => -softplus(-x)) });
describeActivation("tanh", { formula: each(tanh) });
describeActivation("hardTanh", { formula: each((x) => clip(x, -1, 1)), kinks: [-1, 1] });
describeActivation("tanhShrink", { formula: each((x) => x - tanh(x)) });
describeActivation("softsign", { formula: each((x) => x / (1 + abs(x))) });
describeActivation("softplus", { formula: each(softplus) });
describeActivation("squareplus", { settings: { b: 1.5 }, formula: each((x) => (x + sqrt(x * x + 1.5)) / 2) });
describeActivation("sparsePlus", { formula: each((x) => (x <= -1 ? 0 : x < 1 ? (x + 1) ** 2 / 4 : x)) });
describeActivation("hardShrink", { formula: each((x) => (abs(x) > 0.5 ? x : 0)), kinks: [-0.5, 0.5] });
describeActivation("softShrink", {
  settings: { threshold: 0.7 },
  formula: each((x) => (abs(x) > 0.7 ? x - Math.sign(x) * 0.7 : 0)),
  kinks: [-0.7, 0.7],
});
describeActivation("softmax", { formula: softmax });
describeActivation("logSoftmax", {
  formula: (row) => row.map((x) => x - max(...row) - log(row.reduce((sum, y) => sum + exp(y - max(...row)), 0))),
});
describeActivation("sparsemax", { formula: sparsemax });

/** y and d sum(w y) / dx on one row. */
async function slopeOf(type: ActivationName, row: readonly number[], weights: readonly number[]) {
  const builder = new GraphBuilder("slope");
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [1, row.length]);
  const y = activations[type]().value(math, plain(x, [row.length])).value;
  const gradient = builder.constant(tensor("float32", [1, weights.length], Float32Array.from(weights)));
  const [dx] = gradients(math, { value: y, gradient }, [x]);
  builder.output(y, "y");
  if (dx !== undefined) builder.output(dx, "dx");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ x: tensor("float32", [1, row.length], Float32Array.from(row)) });
  await session.close();
  return { y: Array.from(outputs["y"]?.data ?? [], Number), dx: Array.from(outputs["dx"]?.data ?? [], Number) };
}

describe("sparsemax", () => {
  it("at ties shares the gradient among the shares that are not 0", async () => {
    const { y, dx } = await slopeOf("sparsemax", [1, 1, -5], [3, 1, 7]);
    expect(y).toEqual([0.5, 0.5, 0]);
    expect(dx).toEqual([1, -1, 0]); // less the mean of those in
  });

  it("gives all to one that is far ahead, and nothing moves it", async () => {
    const { y, dx } = await slopeOf("sparsemax", [90, -90, 0], [3, 1, 7]);
    expect(y).toEqual([1, 0, 0]);
    expect(dx).toEqual([0, 0, 0]);
  });
});

it("squareplus has half a slope at 0, and sparsePlus too", async () => {
  expect((await slopeOf("squareplus", [0], [1])).dx).toEqual([0.5]);
  expect((await slopeOf("sparsePlus", [0], [1])).dx).toEqual([0.5]);
});

describe("the activation of a layer", () => {
  const read = (value: unknown, field = activationField("linear")) => {
    const problems = new Problems();
    return { value: field.read(value, "dense.activation", problems), problems };
  };
  const problemOf = (value: unknown, field = activationField()): string => {
    try {
      read(value, field).problems.throwIfAny();
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    return "";
  };

  it("is kept as its name where every setting has its default", () => {
    expect(read("relu").value).toBe("relu");
    expect(read({ type: "leakyRelu" }).value).toBe("leakyRelu");
    expect(read({ type: "leakyRelu", negativeSlope: 0.2 }).value).toBe("leakyRelu");
    expect(read({ type: "leakyRelu", negativeSlope: 0.1 }).value).toEqual({ type: "leakyRelu", negativeSlope: 0.1 });
    expect(read(activations.relu({ maxValue: 1 })).value).toEqual({
      type: "relu",
      negativeSlope: 0,
      maxValue: 1,
      threshold: 0,
    });
    expect(read({ type: "threshold", threshold: 1, defaultValue: 0 }).value).toEqual({
      type: "threshold",
      threshold: 1,
      defaultValue: 0,
    });
  });

  it("that is wrong is told with its place, and how to mend it", () => {
    expect(problemOf("leaky_relu")).toContain(
      'dense.activation: unknown activation "leaky_relu" (did you mean "leakyRelu"?)',
    );
    expect(problemOf({ type: "elu", alpha: -1 })).toContain(
      "dense.activation.alpha: expected a number above 0, received -1",
    );
    expect(problemOf("threshold")).toContain("dense.activation.threshold: expected a finite number, received nothing");
    expect(problemOf(3)).toContain("expected the name of an activation");
    expect(problemOf("glu")).toContain('write it as a layer of its own: activation("glu")');
  });

  it("may change the shape in a layer that is nothing else", () => {
    expect(problemOf("glu", anyActivationField())).toBe("");
    expect(activatedShape("glu", [null, 6])).toEqual([null, 3]);
    expect(activatedShape("relu", [null, 6])).toEqual([null, 6]);
    expect(() => activatedShape("glu", [5])).toThrow(ShapeError);
    expect(() => activatedShape("glu", [5])).toThrow(
      "expected an even number of channels, one half for the gates, received 5",
    );
  });
});
