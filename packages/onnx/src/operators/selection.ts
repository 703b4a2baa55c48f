/** @file Operators whose result depends on the elements: some are chosen, others dropped or turned round. */
import { multiplyDims } from "../dim.ts";
import { optional, preset } from "./attribute.ts";
import { operator } from "./operator.ts";
import { anything, axisOf, bools, numeric, sameDtype, take, takeRank, unify } from "./rules.ts";

/** Elements chosen by what they are, or by a list. */
export const selection = {
  /** Inputs: x, which (bool, 1-d). Slices along `axis`, or elements of all of x when there is none. */
  Compress: operator({
    since: 11,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { axis: optional("int") },
    infer: (call) => {
      const x = take(call, 0, anything);
      takeRank(call, take(call, 1, bools), 1);
      const kept = call.fresh("kept");
      if (call.attributes.axis === undefined) return [{ dtype: x.dtype, shape: [kept] }];
      const axis = axisOf(call, call.attributes.axis, x.shape.length);
      return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? kept : dim)) }];
    },
  }),
  /** Outputs: each different slice once; where it first stands; which one each slice is; how often it comes (int64). */
  Unique: operator({
    since: 11,
    inputs: [1, 1],
    outputs: [1, 4],
    attributes: { axis: optional("int"), sorted: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, [...numeric, "string", "bool"]);
      const found = call.fresh("found");
      const places = { dtype: "int64", shape: [found] } as const;
      if (call.attributes.axis === undefined) {
        const all = { dtype: "int64", shape: [x.shape.length === 0 ? 1 : multiplyDims(...x.shape)] } as const;
        return [{ dtype: x.dtype, shape: [found] }, places, all, places];
      }
      const axis = axisOf(call, call.attributes.axis, x.shape.length);
      const all = { dtype: "int64", shape: [x.shape[axis] ?? 1] } as const;
      return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? found : dim)) }, places, all, places];
    },
  }),
  /** Inputs: cache, update, where each of the batch begins to write along `axis` (int64 [batch]). The cache with the update in it. */
  TensorScatter: operator({
    since: 24,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { axis: preset("int", -2), mode: preset("string", "linear") },
    infer: (call) => {
      const cache = take(call, 0, anything);
      const update = sameDtype(call, 1, cache) ?? call.input(1);
      const axis = axisOf(call, call.attributes.axis, cache.shape.length);
      const sizes = takeRank(call, update, cache.shape.length);
      const shape = cache.shape.map((dim, i) =>
        i === axis ? dim : unify(call, dim, sizes[i] ?? 1, `"${update.name}" to have on axis ${i}:`),
      );
      if (call.inputs[2] !== undefined) takeRank(call, take(call, 2, ["int64"]), 1);
      return [{ dtype: cache.dtype, shape }];
    },
  }),
  /** Inputs: x, lengths (int64 [batch]). The first `length` steps of each sequence backwards; the rest as they are. */
  ReverseSequence: operator({
    since: 10,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { batch_axis: preset("int", 1), time_axis: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, anything);
      takeRank(call, x, 2, Number.POSITIVE_INFINITY);
      takeRank(call, take(call, 1, ["int64"]), 1);
      return [{ dtype: x.dtype, shape: x.shape }];
    },
  }),
};
