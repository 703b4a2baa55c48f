/** @file Losses that ONNX has as operators. */
import { type Dim, formatShape, type Shape } from "../shape.ts";
import { optional, preset } from "./attribute.ts";
import { type Call, operator } from "./operator.ts";
import { floats, indices, take, takeRank, unify } from "./rules.ts";

const settings = { ignore_index: optional("int"), reduction: preset("string", "mean") };

/** The loss of x [N, C, ...] and targets [N, ...]: one number, or with reduction "none" one a target. */
function lossShape(call: Call<typeof settings>): Shape {
  const x = take(call, 0, floats);
  const target = take(call, 1, indices);
  const [batch = 1, classes = 1, ...rest] = takeRank(call, x, 2, Number.POSITIVE_INFINITY);
  const targets = takeRank(call, target, x.shape.length - 1);
  const places = [batch, ...rest].map((size, i): Dim => unify(call, size, targets[i] ?? 1, `targets on axis ${i}:`));
  if (call.inputs[2] !== undefined) {
    const [weights = 1] = takeRank(call, take(call, 2, floats), 1);
    unify(call, classes, weights, "weights of classes:");
  }
  const { reduction } = call.attributes;
  if (reduction !== "none" && reduction !== "mean" && reduction !== "sum")
    throw call.shapeError('attribute reduction "none", "mean" or "sum"', `"${reduction}" for ${formatShape(x.shape)}`);
  return reduction === "none" ? places : [];
}

/** Losses. */
export const loss = {
  /** Inputs: logarithms of probabilities [N, C, ...], targets [N, ...], weights [C]. */
  NegativeLogLikelihoodLoss: operator({
    since: 13,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: settings,
    infer: (call) => [{ dtype: call.input(0).dtype, shape: lossShape(call) }],
  }),
  /** Inputs: scores [N, C, ...], targets [N, ...], weights [C]. Outputs: the loss, and the logarithms of probabilities. */
  SoftmaxCrossEntropyLoss: operator({
    since: 13,
    inputs: [2, 3],
    outputs: [1, 2],
    attributes: settings,
    infer: (call) => {
      const { dtype, shape } = call.input(0);
      return [
        { dtype, shape: lossShape(call) },
        { dtype, shape },
      ];
    },
  }),
};
