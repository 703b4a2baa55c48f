/** @file Slice: from start to before end in steps, on some axes. */
import { addDims, divideDims, subtractDims } from "../dim.ts";
import { type Dim, formatShape } from "../shape.ts";
import { type Call, operator } from "./operator.ts";
import { anything, axesOf, indices, take } from "./rules.ts";

/** Positions from `start` to before `end` on an axis of known size, counted as NumPy does. */
function cut(size: number, start: number, end: number, step: number): number {
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const clamp = (at: number): number => Math.max(low, Math.min(high, at < 0 ? at + size : at));
  const reach = step > 0 ? clamp(end) - clamp(start) : clamp(start) - clamp(end);
  return Math.max(0, Math.ceil(reach / Math.abs(step)));
}

/** The size after a cut; a new name where only the run tells. */
function cutDim(call: Call, axis: number, size: Dim, start: Dim, end: Dim, step: number): Dim {
  if (typeof size === "number" && typeof start === "number" && typeof end === "number")
    return cut(size, start, end, step);
  if (step < 0) {
    const whole = start === -1 && typeof end === "number" && end < -(2 ** 31);
    return whole ? divideDims(size, -step, "ceil") : call.fresh(`axis${axis}`);
  }
  const toEnd = end === size || (typeof end === "number" && end >= 2 ** 31 - 1);
  const fromStart = typeof start === "number" && start >= 0;
  // nothing says that a named axis is long enough to drop `start` positions, but a cut that empties it is no use
  if (fromStart && toEnd) return divideDims(subtractDims(size, start), step, "ceil");
  if (fromStart && typeof end === "number" && end < 0 && step === 1) return addDims(size, end - start);
  if (typeof start === "number" && start < 0 && toEnd && step === 1 && typeof size === "string")
    return call.fresh(`axis${axis}`);
  return call.fresh(`axis${axis}`);
}

/** Elements of a cut list. */
function cutList(list: readonly Dim[], start: number, end: number, step: number): Dim[] {
  const length = cut(list.length, start, end, step);
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? list.length : list.length - 1;
  const first = Math.max(low, Math.min(high, start < 0 ? start + list.length : start));
  return Array.from({ length }, (_, i) => list[first + i * step] ?? 0);
}

/** Parts of a value. */
export const slicing = {
  /** Inputs: x, starts, ends, axes (default: the first ones), steps (default 1). */
  Slice: operator({
    since: 13,
    inputs: [3, 5],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const x = take(call, 0, anything);
      const rank = x.shape.length;
      for (const index of [1, 2]) take(call, index, indices);
      const starts = call.contents(1);
      const ends = call.contents(2);
      const count = starts?.length ?? ends?.length;
      const listed = call.inputs[3] === undefined ? starts?.map((_, i) => i) : call.numbers(3);
      const steps = call.inputs[4] === undefined ? listed?.map(() => 1) : call.numbers(4);
      if (listed === undefined || steps === undefined)
        return [{ dtype: x.dtype, shape: x.shape.map((_, i) => call.fresh(`axis${i}`)) }];
      if (listed.length !== (count ?? listed.length) || steps.length !== listed.length)
        throw call.shapeError("as many starts, ends, axes and steps", formatShape(listed));
      if (steps.includes(0)) throw call.shapeError("steps other than 0", formatShape(steps));
      const axes = axesOf(call, listed, rank);
      const shape = x.shape.map((size, axis) => {
        const at = axes.indexOf(axis);
        if (at < 0) return size;
        const start = starts?.[at];
        const end = ends?.[at];
        if (start === undefined || end === undefined) return call.fresh(`axis${axis}`);
        return cutDim(call, axis, size, start, end, steps[at] ?? 1);
      });
      const list = call.contents(0);
      const [start] = starts ?? [];
      const [end] = ends ?? [];
      const known = rank === 1 && axes.length === 1 && typeof start === "number" && typeof end === "number";
      const contents = known && list !== undefined ? cutList(list, start, end, steps[0] ?? 1) : undefined;
      return [{ dtype: x.dtype, shape, contents }];
    },
  }),
};
