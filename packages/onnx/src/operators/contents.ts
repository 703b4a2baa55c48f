/** @file Sizes travel through graphs as small integer tensors: what their elements are, where that follows from shapes. */
import type { Dim, Shape } from "../shape.ts";
import { elementCount } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Call } from "./operator.ts";

/** Longest tensor whose elements are followed. Shapes have few axes; lists of axes, pads and splits stay far below. */
export const mostContents = 256;

/** Elements of a constant integer tensor as sizes; undefined for other types, long tensors and numbers that are not exact. */
export function contentsOfTensor(tensor: Tensor): readonly Dim[] | undefined {
  if (tensor.dtype !== "int64" && tensor.dtype !== "int32") return undefined;
  if (tensor.data.length > mostContents) return undefined;
  const numbers = Array.from(tensor.data, Number);
  return numbers.every(Number.isSafeInteger) ? numbers : undefined;
}

/** Elements of two small tensors combined with broadcasting of a scalar or between equal shapes; undefined otherwise. */
export function combineContents(call: Call, combine: (a: Dim, b: Dim) => Dim | undefined): readonly Dim[] | undefined {
  const a = call.contents(0);
  const b = call.contents(1);
  if (a === undefined || b === undefined) return undefined;
  if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
  const result: Dim[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const left = a[a.length === 1 ? 0 : i];
    const right = b[b.length === 1 ? 0 : i];
    const combined = left === undefined || right === undefined ? undefined : combine(left, right);
    if (combined === undefined) return undefined;
    result.push(combined);
  }
  return result;
}

/** The elements, when there are as many as the shape says and few enough to follow. */
export function fitting(shape: Shape, elements: readonly Dim[] | undefined): readonly Dim[] | undefined {
  const count = elementCount(shape);
  return elements !== undefined && count === elements.length && count <= mostContents ? elements : undefined;
}
