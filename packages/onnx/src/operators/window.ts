/** @file Windows that slide over axes: the sizes that convolutions and poolings share. */
import { addDims, divideDims, multiplyDims, subtractDims } from "../dim.ts";
import { type Dim, formatShape, type Shape } from "../shape.ts";
import type { Call } from "./operator.ts";

/** Settings of a window, as attributes give them; one number an axis, pads [starts..., ends...]. */
export interface Window {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly autoPad: string;
  /** 1 rounds the number of positions up instead of down. */
  readonly ceilMode?: number;
}

/** A list with one number for each axis, all `fallback` when absent. @throws ShapeError when it has another length. */
export function perAxis(
  call: Call,
  name: string,
  given: readonly number[] | undefined,
  count: number,
  fallback: number,
) {
  const list = given ?? Array.from({ length: count }, () => fallback);
  if (list.length !== count) throw call.shapeError(`${count} numbers in attribute ${name}`, `[${list.join(", ")}]`);
  return list;
}

/**
 * Number of positions of the window on each spatial axis.
 * @throws ShapeError when a window does not fit into its padded axis.
 */
export function slide(call: Call, spatial: Shape, window: Window): Dim[] {
  const rank = spatial.length;
  const strides = perAxis(call, "strides", window.strides, rank, 1);
  const dilations = perAxis(call, "dilations", window.dilations, rank, 1);
  const pads = perAxis(call, "pads", window.pads, 2 * rank, 0);
  if ([...strides, ...dilations].some((n) => !Number.isInteger(n) || n < 1))
    throw call.shapeError("strides and dilations from 1", `[${strides.join(", ")}] and [${dilations.join(", ")}]`);
  if (window.kernel.length !== rank) throw call.shapeError(`a kernel of ${rank} axes`, formatShape(window.kernel));
  return spatial.map((size, i) => {
    const stride = strides[i] ?? 1;
    if (window.autoPad.startsWith("SAME")) return divideDims(size, stride, "ceil");
    // the reach of a dilated kernel: dilation * (kernel - 1) + 1
    const reach = addDims(multiplyDims(subtractDims(window.kernel[i] ?? 1, 1), dilations[i] ?? 1), 1);
    const margin = window.autoPad === "VALID" ? 0 : (pads[i] ?? 0) + (pads[i + rank] ?? 0);
    const padded = addDims(size, margin);
    const room = subtractDims(padded, reach);
    if (typeof room === "number" && room < 0)
      throw call.shapeError(`axis ${i} of at least ${reach} after padding, for the window`, String(padded));
    const positions = addDims(divideDims(room, stride, window.ceilMode === 1 ? "ceil" : "floor"), 1);
    // a window that would start in the end padding is dropped
    const startsBeyond =
      window.ceilMode === 1 &&
      typeof positions === "number" &&
      typeof size === "number" &&
      (positions - 1) * stride >= size + (window.autoPad === "VALID" ? 0 : (pads[i] ?? 0));
    return startsBeyond ? addDims(positions, -1) : positions;
  });
}
