/** @file Operators that draw. Draws are not reproducible across sessions, even with `seed`: training does not use them. */
import { type Dtype, dtypeOfCode } from "../dtype.ts";
import { optional, preset, required } from "./attribute.ts";
import { type Call, operator } from "./operator.ts";
import { floats, indices, numeric, take, takeRank } from "./rules.ts";

const normal = { mean: preset("float", 0), scale: preset("float", 1), seed: optional("float") };
const uniform = { high: preset("float", 1), low: preset("float", 0), seed: optional("float") };

function typeOf(call: Call, code: number | undefined, otherwise: Dtype): Dtype {
  const dtype = code === undefined ? otherwise : dtypeOfCode(code);
  if (dtype === undefined) throw call.dtypeError("a supported element type", `type ${code}`);
  return dtype;
}

const shaped = { dtype: preset("int", 1), shape: required("ints") };

/** Random numbers. */
export const drawing = {
  RandomNormal: operator({
    since: 1,
    inputs: [0, 0],
    outputs: [1, 1],
    attributes: { ...normal, ...shaped },
    infer: (call) => [{ dtype: typeOf(call, call.attributes.dtype, "float32"), shape: call.attributes.shape }],
  }),
  RandomUniform: operator({
    since: 1,
    inputs: [0, 0],
    outputs: [1, 1],
    attributes: { ...uniform, ...shaped },
    infer: (call) => [{ dtype: typeOf(call, call.attributes.dtype, "float32"), shape: call.attributes.shape }],
  }),
  RandomNormalLike: operator({
    since: 1,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { ...normal, dtype: optional("int") },
    infer: (call) => {
      const x = call.input(0);
      return [{ dtype: typeOf(call, call.attributes.dtype, x.dtype), shape: x.shape }];
    },
  }),
  RandomUniformLike: operator({
    since: 1,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { ...uniform, dtype: optional("int") },
    infer: (call) => {
      const x = call.input(0);
      return [{ dtype: typeOf(call, call.attributes.dtype, x.dtype), shape: x.shape }];
    },
  }),
  /** Input: the probability of 1 for each element. */
  Bernoulli: operator({
    since: 15,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { dtype: optional("int"), seed: optional("float") },
    infer: (call) => {
      const x = take(call, 0, floats);
      const dtype = typeOf(call, call.attributes.dtype, x.dtype);
      if (![...numeric, "bool"].includes(dtype)) throw call.dtypeError("a type of numbers or bool", dtype);
      return [{ dtype, shape: x.shape }];
    },
  }),
  /** Input: logarithms of probabilities [batch, classes]. Output [batch, sample_size] of classes. */
  Multinomial: operator({
    since: 7,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { dtype: preset("int", 6), sample_size: preset("int", 1), seed: optional("float") },
    infer: (call) => {
      const [batch = 1] = takeRank(call, take(call, 0, floats), 2);
      const dtype = typeOf(call, call.attributes.dtype, "int32");
      if (!indices.includes(dtype)) throw call.dtypeError(indices.join(" or "), dtype);
      return [{ dtype, shape: [batch, call.attributes.sample_size] }];
    },
  }),
};
