/** @file Operators that fold axes into one number each. */

import { multiplyDims } from "../dim.ts";
import type { Dtype } from "../dtype.ts";
import { elementCount, type Shape } from "../shape.ts";
import { preset } from "./attribute.ts";
import { fitting } from "./contents.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { axesOf, axisOf, bools, floats, freshAxes, numeric, take, volume } from "./rules.ts";

/** The shape without the given axes, or with 1 in their place. */
export const withoutAxes = (shape: Shape, axes: readonly number[], keep: boolean): Shape =>
  keep ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i));

/** Axes come as a constant input; none means all, or nothing when `noop_with_empty_axes`. */
const reduced =
  (allowed: readonly Dtype[], contents?: (call: Call) => Inferred["contents"]) =>
  (call: Call<typeof settings>): readonly Inferred[] => {
    const x = take(call, 0, allowed);
    const keep = call.attributes.keepdims !== 0;
    const given = call.inputs[1] === undefined ? [] : call.numbers(1);
    if (given === undefined) {
      const count = elementCount(call.input(1).shape);
      if (!keep && count === undefined)
        throw call.shapeError("axes that are constant or of known number", `"${call.input(1).name}"`);
      const rank = keep ? x.shape.length : x.shape.length - (count ?? 0);
      return [{ dtype: x.dtype, shape: freshAxes(call, rank) }];
    }
    if (given.length === 0 && call.attributes.noop_with_empty_axes !== 0) return [{ dtype: x.dtype, shape: x.shape }];
    const axes = given.length === 0 ? x.shape.map((_, i) => i) : axesOf(call, given, x.shape.length);
    const shape = withoutAxes(x.shape, axes, keep);
    return [{ dtype: x.dtype, shape, contents: fitting(shape, contents?.(call)) }];
  };

const settings = { keepdims: preset("int", 1), noop_with_empty_axes: preset("int", 0) };
const reduceTypes: readonly Dtype[] = [...floats, "int32", "int64", "uint32", "uint64"];

const reduction13 = (
  since: number,
  allowed: readonly Dtype[] = reduceTypes,
  contents?: (call: Call) => Inferred["contents"],
) => operator({ since, inputs: [1, 2], outputs: [1, 1], attributes: settings, infer: reduced(allowed, contents) });

/** The product of a whole shape is a size too. */
const productOfSizes = (call: Call): Inferred["contents"] => {
  const sizes = call.contents(0);
  return sizes === undefined ? undefined : [multiplyDims(...sizes)];
};

const position = operator({
  since: 13,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: preset("int", 0), keepdims: preset("int", 1), select_last_index: preset("int", 0) },
  infer: (call) => {
    const x = take(call, 0, numeric);
    const axis = axisOf(call, call.attributes.axis, x.shape.length);
    return [{ dtype: "int64", shape: withoutAxes(x.shape, [axis], call.attributes.keepdims !== 0) }];
  },
});

/** Axes made one: sums, means, extremes and their places. */
export const reduction = {
  ReduceSum: reduction13(13),
  ReduceMean: reduction13(18),
  ReduceMax: reduction13(18, [...numeric, ...bools]),
  ReduceMin: reduction13(18, [...numeric, ...bools]),
  ReduceProd: reduction13(18, reduceTypes, productOfSizes),
  ReduceL1: reduction13(18),
  ReduceL2: reduction13(18),
  ReduceSumSquare: reduction13(18),
  ReduceLogSum: reduction13(18),
  ReduceLogSumExp: reduction13(18),
  ArgMax: position,
  ArgMin: position,
  /** Outputs: the k largest (or smallest) along an axis, and their positions. Input 1 is k, int64 [1]. */
  TopK: operator({
    since: 11,
    inputs: [2, 2],
    outputs: [2, 2],
    attributes: { axis: preset("int", -1), largest: preset("int", 1), sorted: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, numeric);
      take(call, 1, ["int64"]);
      const axis = axisOf(call, call.attributes.axis, x.shape.length);
      const k = call.contents(1)?.[0] ?? call.fresh("k");
      const size = x.shape[axis];
      if (typeof k === "number" && typeof size === "number" && k > size)
        throw call.shapeError(`k of at most ${size}`, String(k));
      const shape = x.shape.map((dim, i) => (i === axis ? k : dim));
      return [
        { dtype: x.dtype, shape },
        { dtype: "int64", shape },
      ];
    },
  }),
  Size: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => [{ dtype: "int64", shape: [], contents: [volume(call.input(0).shape)] }],
  }),
  NonZero: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => [{ dtype: "int64", shape: [call.input(0).shape.length, call.fresh("found")] }],
  }),
};
