/** @file Operators that move elements without changing them: axes are renamed, joined, cut, repeated. */
import { addDims, divideDims, exactQuotient, multiplyDims, subtractDims } from "../dim.ts";
import { type Dim, elementCount, formatShape, type Shape } from "../shape.ts";
import { optional, preset, required } from "./attribute.ts";
import { fitting, mostContents } from "./contents.ts";
import { type Call, operator } from "./operator.ts";
import { anything, axesOf, axisOf, broadcast, freshAxes, numeric, take, takeSame, unify, volume } from "./rules.ts";

const many = Number.POSITIVE_INFINITY;

/** A shape given by an input: its elements where known, else new names, one an axis. */
export function shapeInput(call: Call, index: number): Shape {
  const contents = call.contents(index);
  if (contents !== undefined) return contents;
  const rank = elementCount(take(call, index, ["int64"]).shape);
  if (rank === undefined)
    throw call.shapeError(`"${call.input(index).name}" to be constant or of known length`, "an unknown number of axes");
  return freshAxes(call, rank);
}

/** Axes from a constant input. */
function axesInput(call: Call, index: number, rank: number): number[] {
  const axes = call.numbers(index);
  if (axes === undefined) throw call.shapeError(`constant axes (input ${index})`, `"${call.input(index).name}"`);
  return axesOf(call, axes, rank);
}

/** New sizes where only the run tells which axes come or go, but their number is known; undefined where the axes are. */
function openRank(call: Call, index: number, rank: number, sign: 1 | -1): Shape | undefined {
  if (call.inputs[index] === undefined || call.numbers(index) !== undefined) return undefined;
  const count = elementCount(take(call, index, ["int64"]).shape);
  if (count === undefined || rank + sign * count < 0) return undefined;
  return freshAxes(call, rank + sign * count);
}

function reshaped(call: Call, from: Shape, to: Shape, allowZero: boolean): Shape {
  const copied = to.map((dim, i): Dim => {
    if (dim !== 0 || allowZero) return dim;
    const kept = from[i];
    if (kept === undefined) throw call.shapeError(`an axis ${i} to copy in ${formatShape(from)}`, formatShape(to));
    return kept;
  });
  const open = copied.indexOf(-1);
  if (copied.lastIndexOf(-1) !== open) throw call.shapeError("at most one -1", formatShape(to));
  const total = volume(from);
  if (open < 0) {
    const wanted = volume(copied);
    if (typeof total === "number" && typeof wanted === "number" && total !== wanted)
      throw call.shapeError(`${total} elements, as ${formatShape(from)} has`, `${formatShape(to)} with ${wanted}`);
    return copied;
  }
  const rest = volume(copied.filter((_, i) => i !== open));
  if (typeof total === "number" && typeof rest === "number" && (rest === 0 ? total !== 0 : total % rest !== 0))
    throw call.shapeError(`a shape for the ${total} elements of ${formatShape(from)}`, formatShape(to));
  const size = rest === 0 ? 0 : (exactQuotient(total, rest) ?? divideDims(total, rest));
  return copied.map((dim, i) => (i === open ? size : dim));
}

/** Sizes joined to one list, where all are known and together few. */
function joinedContents(call: Call, shape: Shape): readonly Dim[] | undefined {
  const count = elementCount(shape);
  if (shape.length !== 1 || count === undefined || count > mostContents) return undefined;
  const parts = call.inputs.map((_, i) => call.contents(i));
  return parts.every((part) => part !== undefined) ? fitting(shape, parts.flat()) : undefined;
}

function unsqueezed(call: Call, shape: Shape, axes: readonly number[]): Shape {
  const rank = shape.length + axes.length;
  const places = axesOf(call, axes, rank);
  const rest = [...shape];
  return Array.from({ length: rank }, (_, i) => (places.includes(i) ? 1 : (rest.shift() ?? 1)));
}

/** The same elements with other sizes or in another order. */
export const layout = {
  /** Input 1 is the shape: 0 copies the axis of the input (unless `allowzero`), one -1 takes what is left. */
  Reshape: operator({
    since: 14,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { allowzero: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, anything);
      take(call, 1, ["int64"]);
      const shape = reshaped(call, x.shape, shapeInput(call, 1), call.attributes.allowzero !== 0);
      return [{ dtype: x.dtype, shape, contents: fitting(shape, call.contents(0)) }];
    },
  }),
  /** Joins the axes before `axis`, and those from it on: two axes come out. */
  Flatten: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, anything);
      const rank = x.shape.length;
      const axis = call.attributes.axis === rank ? rank : axisOf(call, call.attributes.axis, rank);
      return [{ dtype: x.dtype, shape: [volume(x.shape.slice(0, axis)), volume(x.shape.slice(axis))] }];
    },
  }),
  /** `perm` defaults to all axes reversed. */
  Transpose: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { perm: optional("ints") },
    infer: (call) => {
      const x = take(call, 0, anything);
      const perm = call.attributes.perm ?? x.shape.map((_, i) => x.shape.length - 1 - i);
      const complete = perm.length === x.shape.length && x.shape.every((_, i) => perm.includes(i));
      if (!complete)
        throw call.shapeError(`each axis of ${formatShape(x.shape)} once in attribute perm`, formatShape(perm));
      return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] ?? 1) }];
    },
  }),
  Squeeze: operator({
    since: 13,
    inputs: [1, 2],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const x = take(call, 0, anything);
      const open = openRank(call, 1, x.shape.length, -1);
      if (open !== undefined) return [{ dtype: x.dtype, shape: open }];
      const axes =
        call.inputs[1] === undefined
          ? x.shape.flatMap((dim, i) => (dim === 1 ? [i] : []))
          : axesInput(call, 1, x.shape.length);
      for (const axis of axes) unify(call, 1, x.shape[axis] ?? 1, `axis ${axis} of size`);
      const shape = x.shape.filter((_, i) => !axes.includes(i));
      return [{ dtype: x.dtype, shape, contents: fitting(shape, call.contents(0)) }];
    },
  }),
  Unsqueeze: operator({
    since: 13,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const x = take(call, 0, anything);
      const open = openRank(call, 1, x.shape.length, 1);
      if (open !== undefined) return [{ dtype: x.dtype, shape: open }];
      const axes = call.numbers(1);
      if (axes === undefined) throw call.shapeError("constant axes (input 1)", `"${call.input(1).name}"`);
      const shape = unsqueezed(call, x.shape, axes);
      return [{ dtype: x.dtype, shape, contents: fitting(shape, call.contents(0)) }];
    },
  }),
  Concat: operator({
    since: 13,
    inputs: [1, many],
    outputs: [1, 1],
    attributes: { axis: required("int") },
    infer: (call) => {
      const values = takeSame(call, anything);
      const first = call.input(0);
      const axis = axisOf(call, call.attributes.axis, first.shape.length);
      const shape = values.slice(1).reduce<Shape>((joined, value) => {
        if (value.shape.length !== joined.length)
          throw call.shapeError(`${joined.length} axes for "${value.name}"`, formatShape(value.shape));
        return joined.map((dim, i) => {
          const other = value.shape[i] ?? 1;
          return i === axis ? addDims(dim, other) : unify(call, dim, other, `"${value.name}" to have on axis ${i}`);
        });
      }, first.shape);
      return [{ dtype: first.dtype, shape, contents: joinedContents(call, shape) }];
    },
  }),
  /** Pieces by input 1 (sizes), or as many equal ones as there are outputs (`num_outputs`; the last may be smaller). */
  Split: operator({
    since: 18,
    inputs: [1, 2],
    outputs: [1, many],
    attributes: { axis: preset("int", 0), num_outputs: optional("int") },
    infer: (call) => {
      const x = take(call, 0, anything);
      const axis = axisOf(call, call.attributes.axis, x.shape.length);
      const count = call.outputCount;
      const { num_outputs } = call.attributes;
      if ((call.inputs[1] === undefined) === (num_outputs === undefined))
        throw call.shapeError("either sizes (input 1) or num_outputs", num_outputs === undefined ? "neither" : "both");
      if (num_outputs !== undefined && num_outputs !== count)
        throw call.shapeError(`num_outputs ${count}, as there are outputs`, String(num_outputs));
      const total = x.shape[axis] ?? 1;
      const sizes = call.inputs[1] === undefined ? evenly(total, count) : shapeInput(call, 1);
      if (sizes.length !== count) throw call.shapeError(`${count} sizes`, formatShape(sizes));
      unify(call, total, sizes.reduce<Dim>(addDims, 0), `sizes ${formatShape(sizes)} to add up to`);
      let start = 0;
      return sizes.map((size) => {
        const shape = x.shape.map((dim, i) => (i === axis ? size : dim));
        const from = start;
        start += typeof size === "number" ? size : Number.NaN;
        const contents = x.shape.length === 1 ? call.contents(0)?.slice(from, start) : undefined;
        return { dtype: x.dtype, shape, contents: fitting(shape, contents) };
      });
    },
  }),
  /** Inputs: x, shape; NumPy's broadcasting of the two, so that 1 in the shape keeps an axis. */
  Expand: operator({
    since: 13,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const x = take(call, 0, anything);
      take(call, 1, ["int64"]);
      return [{ dtype: x.dtype, shape: broadcast(call, x.shape, shapeInput(call, 1)) }];
    },
  }),
  Tile: operator({
    since: 13,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const x = take(call, 0, anything);
      take(call, 1, ["int64"]);
      const repeats = shapeInput(call, 1);
      if (repeats.length !== x.shape.length)
        throw call.shapeError(`${x.shape.length} repeats for ${formatShape(x.shape)}`, formatShape(repeats));
      return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => multiplyDims(dim, repeats[i] ?? 1)) }];
    },
  }),
  /** Inputs: x, pads [starts..., ends...] (constant), value, axes. Negative pads cut. */
  Pad: operator({
    since: 18,
    inputs: [2, 4],
    outputs: [1, 1],
    attributes: { mode: preset("string", "constant") },
    infer: (call) => {
      const x = take(call, 0, anything);
      take(call, 1, ["int64"]);
      const axes = call.inputs[3] === undefined ? x.shape.map((_, i) => i) : axesInput(call, 3, x.shape.length);
      const pads = call.contents(1);
      if (pads === undefined) return [{ dtype: x.dtype, shape: freshAxes(call, x.shape.length) }];
      if (pads.length !== 2 * axes.length)
        throw call.shapeError(`${2 * axes.length} pads (a start and an end for each axis)`, formatShape(pads));
      const shape = x.shape.map((dim, i) => {
        const at = axes.indexOf(i);
        return at < 0 ? dim : addDims(dim, addDims(pads[at] ?? 0, pads[at + axes.length] ?? 0));
      });
      if (shape.some((dim) => typeof dim === "number" && dim < 0))
        throw call.shapeError(`pads that leave something of ${formatShape(x.shape)}`, formatShape(pads));
      return [{ dtype: x.dtype, shape }];
    },
  }),
  /** The sizes of x as int64, from axis `start` to before `end`. */
  Shape: operator({
    since: 15,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { start: preset("int", 0), end: optional("int") },
    infer: (call) => {
      const x = take(call, 0, anything);
      const rank = x.shape.length;
      const within = (axis: number): number => Math.max(0, Math.min(rank, axis < 0 ? axis + rank : axis));
      const sizes = x.shape.slice(within(call.attributes.start), within(call.attributes.end ?? rank));
      return [{ dtype: "int64", shape: [sizes.length], contents: sizes }];
    },
  }),
  DepthToSpace: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { blocksize: required("int"), mode: preset("string", "DCR") },
    infer: (call) => {
      const x = take(call, 0, anything);
      const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
      const { blocksize } = call.attributes;
      if (x.shape.length !== 4 || (typeof channels === "number" && channels % blocksize ** 2 !== 0))
        throw call.shapeError(`4 axes with channels a multiple of ${blocksize ** 2}`, formatShape(x.shape));
      const across = (size: Dim): Dim => multiplyDims(size, blocksize);
      return [{ dtype: x.dtype, shape: [batch, divideDims(channels, blocksize ** 2), across(height), across(width)] }];
    },
  }),
  SpaceToDepth: operator({
    since: 13,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { blocksize: required("int") },
    infer: (call) => {
      const x = take(call, 0, numeric);
      const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
      const { blocksize } = call.attributes;
      const fits = [height, width].every((size) => typeof size === "string" || size % blocksize === 0);
      if (x.shape.length !== 4 || !fits)
        throw call.shapeError(`4 axes with height and width multiples of ${blocksize}`, formatShape(x.shape));
      const along = (size: Dim): Dim => divideDims(size, blocksize);
      return [{ dtype: x.dtype, shape: [batch, multiplyDims(channels, blocksize ** 2), along(height), along(width)] }];
    },
  }),
};

/** Equal pieces; the last takes what is left. */
function evenly(total: Dim, count: number): Dim[] {
  const size = divideDims(total, count, "ceil");
  const last = subtractDims(total, multiplyDims(size, count - 1));
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? last : size));
}
