/** @file Operators that read or write at positions: gather, scatter, one-hot. */
import type { Dtype } from "../dtype.ts";
import { type Dim, formatShape, type Shape } from "../shape.ts";
import { preset } from "./attribute.ts";
import { fitting } from "./contents.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { anything, axisOf, indices, numeric, sameDtype, take, takeRank, unify } from "./rules.ts";

/** The number of axes that the last axis of `indices` walks. */
function depthOf(call: Call, shape: Shape): number {
  const depth = shape.at(-1);
  if (typeof depth !== "number") throw call.shapeError("indices whose last axis has a known size", formatShape(shape));
  return depth;
}

/** Checks that updates have the element type of the data, and gives the data's shape. */
function scattered(call: Call, types: readonly Dtype[]): Inferred {
  const data = take(call, 0, anything);
  take(call, 1, types);
  sameDtype(call, 2, data);
  return { dtype: data.dtype, shape: data.shape };
}

/** Sizes of a 1-d list picked at constant positions. */
function pick(call: Call, shape: Shape): Inferred["contents"] {
  const list = call.contents(0);
  const positions = call.numbers(1);
  if (list === undefined || positions === undefined || call.input(0).shape.length !== 1) return undefined;
  const picked: Dim[] = [];
  for (const position of positions) {
    const found = list.at(position);
    if (found === undefined) return undefined;
    picked.push(found);
  }
  return fitting(shape, picked);
}

const scatter = { reduction: preset("string", "none") };

/** Elements taken and put by index. */
export const gathering = {
  Gather: operator({
    since: 13,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { axis: preset("int", 0) },
    infer: (call) => {
      const data = take(call, 0, anything);
      const places = take(call, 1, indices);
      const axis = axisOf(call, call.attributes.axis, data.shape.length);
      const shape = [...data.shape.slice(0, axis), ...places.shape, ...data.shape.slice(axis + 1)];
      return [{ dtype: data.dtype, shape, contents: pick(call, shape) }];
    },
  }),
  GatherElements: operator({
    since: 13,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { axis: preset("int", 0) },
    infer: (call) => {
      const data = take(call, 0, anything);
      const places = take(call, 1, indices);
      takeRank(call, places, data.shape.length);
      axisOf(call, call.attributes.axis, data.shape.length);
      return [{ dtype: data.dtype, shape: places.shape }];
    },
  }),
  /** The last axis of the indices walks the data's axes after `batch_dims`. */
  GatherND: operator({
    since: 13,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { batch_dims: preset("int", 0) },
    infer: (call) => {
      const data = take(call, 0, anything);
      const places = take(call, 1, ["int64"]);
      const { batch_dims } = call.attributes;
      const depth = depthOf(call, places.shape);
      if (depth + batch_dims > data.shape.length)
        throw call.shapeError(`at most ${data.shape.length - batch_dims} positions an index`, String(depth));
      const shape = [...places.shape.slice(0, -1), ...data.shape.slice(batch_dims + depth)];
      return [{ dtype: data.dtype, shape }];
    },
  }),
  ScatterElements: operator({
    since: 18,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { axis: preset("int", 0), ...scatter },
    infer: (call) => {
      const output = scattered(call, indices);
      axisOf(call, call.attributes.axis, output.shape.length);
      const places = takeRank(call, call.input(1), output.shape.length);
      const updates = takeRank(call, call.input(2), output.shape.length);
      for (const [i, size] of places.entries()) unify(call, size, updates[i] ?? 1, `updates to have on axis ${i}`);
      return [output];
    },
  }),
  ScatterND: operator({
    since: 18,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: scatter,
    infer: (call) => {
      const output = scattered(call, ["int64"]);
      const places = call.input(1).shape;
      const depth = depthOf(call, places);
      const expected = [...places.slice(0, -1), ...output.shape.slice(depth)];
      const updates = takeRank(call, call.input(2), expected.length);
      for (const [i, size] of expected.entries()) unify(call, size, updates[i] ?? 1, `updates to have on axis ${i}`);
      return [output];
    },
  }),
  /** Inputs: positions, depth (scalar), values [off, on]; negative positions count from the end. */
  OneHot: operator({
    since: 11,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { axis: preset("int", -1) },
    infer: (call) => {
      const places = take(call, 0, numeric);
      take(call, 1, numeric);
      const values = take(call, 2, anything);
      const axis = axisOf(call, call.attributes.axis, places.shape.length + 1);
      const depth = depthNumber(call) ?? call.contents(1)?.[0] ?? call.fresh("depth");
      return [{ dtype: values.dtype, shape: [...places.shape.slice(0, axis), depth, ...places.shape.slice(axis)] }];
    },
  }),
};

/** The depth of a OneHot where it is a constant, of whatever number type. */
function depthNumber(call: Call): number | undefined {
  const constant = call.constant(1);
  return constant === undefined || constant.data.length !== 1 ? undefined : Number(constant.data[0]);
}
