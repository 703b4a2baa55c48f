/** @file Operators that scale by statistics, and the softmax family. */
import { optional, preset, required } from "./attribute.ts";
import { type Call, operator } from "./operator.ts";
import { axesOf, axisOf, bools, broadcast, floats, sameDtype, take, takeRank, unify } from "./rules.ts";

const softmax = operator({
  since: 13,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: preset("int", -1) },
  infer: (call) => {
    const x = take(call, 0, floats);
    axisOf(call, call.attributes.axis, x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
});

/** Checks that each of some inputs is a list of one number a channel. */
function perChannel(call: Call, from: number, to: number): void {
  const channels = call.input(0).shape[1] ?? 1;
  for (let index = from; index <= to; index++) {
    const value = call.input(index);
    const [size = 1] = takeRank(call, value, 1);
    unify(call, channels, size, `"${value.name}" of size`);
  }
}

/** Normalizations. */
export const normalization = {
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
  /** Inputs: x, scale, bias over the axes from `axis` on. Outputs: y, mean, inverse standard deviation. */
  LayerNormalization: operator({
    since: 17,
    inputs: [2, 3],
    outputs: [1, 3],
    attributes: { axis: preset("int", -1), epsilon: preset("float", 1e-5), stash_type: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, floats);
      const axis = axisOf(call, call.attributes.axis, x.shape.length);
      sameDtype(call, 1, x);
      sameDtype(call, 2, x);
      const statistics = { dtype: "float32", shape: x.shape.map((dim, i) => (i < axis ? dim : 1)) } as const;
      return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics];
    },
  }),
  /** Inputs: x [N, C, ...], scale, bias, mean, variance [C]. Outputs: y; in training mode also the running mean and variance. */
  BatchNormalization: operator({
    since: 15,
    inputs: [5, 5],
    outputs: [1, 3],
    attributes: { epsilon: preset("float", 1e-5), momentum: preset("float", 0.9), training_mode: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, floats);
      takeRank(call, x, 2, Number.POSITIVE_INFINITY);
      perChannel(call, 1, 4);
      if (call.outputCount > 1 && call.attributes.training_mode === 0)
        throw call.shapeError("training_mode 1 for more than one output", "training_mode 0");
      const { dtype } = call.input(3);
      const running = { dtype, shape: [x.shape[1] ?? 1] };
      return [{ dtype: x.dtype, shape: x.shape }, running, running];
    },
  }),
  InstanceNormalization: operator({
    since: 6,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { epsilon: preset("float", 1e-5) },
    infer: (call) => {
      const x = take(call, 0, floats);
      takeRank(call, x, 3, Number.POSITIVE_INFINITY);
      perChannel(call, 1, 2);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  /** Inputs: x [N, C, ...], scale, bias [C]. Statistics over the channels of a group and all positions. */
  GroupNormalization: operator({
    since: 21,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { epsilon: preset("float", 1e-5), num_groups: required("int"), stash_type: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, floats);
      const [, channels = 1] = takeRank(call, x, 2, Number.POSITIVE_INFINITY);
      const { num_groups } = call.attributes;
      if (num_groups < 1 || (typeof channels === "number" && channels % num_groups !== 0))
        throw call.shapeError(`channels that ${num_groups} groups divide`, String(channels));
      perChannel(call, 1, 2);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  /** Inputs: x, scale over the axes from `axis` on. */
  RMSNormalization: operator({
    since: 23,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { axis: preset("int", -1), epsilon: preset("float", 1e-5), stash_type: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, floats);
      const scale = take(call, 1, floats);
      axisOf(call, call.attributes.axis, x.shape.length);
      broadcast(call, x.shape, scale.shape);
      return [{ dtype: scale.dtype, shape: x.shape }];
    },
  }),
  /** Each element over the squares of `size` channels around it. */
  LRN: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {
      alpha: preset("float", 1e-4),
      beta: preset("float", 0.75),
      bias: preset("float", 1),
      size: required("int"),
    },
    infer: (call) => {
      const x = take(call, 0, floats);
      takeRank(call, x, 2, Number.POSITIVE_INFINITY);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  /** Each vector along `axis` over its norm of order `p` (1 or 2). */
  LpNormalization: operator({
    since: 1,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: preset("int", -1), p: preset("int", 2) },
    infer: (call) => {
      const x = take(call, 0, floats);
      axisOf(call, call.attributes.axis, x.shape.length);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  MeanVarianceNormalization: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axes: preset("ints", [0, 2, 3]) },
    infer: (call) => {
      const x = take(call, 0, floats);
      axesOf(call, call.attributes.axes, x.shape.length);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
  /** Inputs: x, ratio, training mode. Outputs: y, and which elements were kept (bool). Draws restart with each session. */
  Dropout: operator({
    since: 13,
    inputs: [1, 3],
    outputs: [1, 2],
    attributes: { seed: optional("int") },
    infer: (call) => {
      const x = take(call, 0, floats);
      if (call.inputs[1] !== undefined) take(call, 1, floats);
      if (call.inputs[2] !== undefined) take(call, 2, bools);
      return [
        { dtype: x.dtype, shape: x.shape },
        { dtype: "bool", shape: x.shape },
      ];
    },
  }),
};
