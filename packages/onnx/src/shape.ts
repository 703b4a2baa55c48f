/** @file Shapes: known sizes and named unknown ones. */

/** A size, or the name of a size that is known only when the graph runs (such as "batch"). */
export type Dim = number | string;

/** Sizes of a tensor's axes, outermost first; [] is a scalar. */
export type Shape = readonly Dim[];

/** Number of elements; undefined when an axis is only named. */
export function elementCount(shape: Shape): number | undefined {
  let count = 1;
  for (const dim of shape) {
    if (typeof dim === "string") return undefined;
    count *= dim;
  }
  return count;
}

/** `[batch, 28, 28, 1]`: a shape as people write it. */
export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** True when both have the same axes: equal sizes or equal names. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);
