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

/**
 * The shape of a value about which nothing is known, not even its number of axes: only in decoded models, after an
 * operator without a rule. Compared by identity.
 */
export const unknownShape: Shape = Object.freeze(["?"]);

/** True for the shape of a value about which nothing is known. */
export const isUnknownShape = (shape: Shape): boolean => shape === unknownShape;

/** `[batch, 28, 28, 1]`: a shape as people write it. */
export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** True when both have the same axes: equal sizes or equal names. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);

/** Most axes that a tensor may have here. NumPy and its kin stop at 32 or 64; a file may claim millions. */
export const mostAxes = 64;

/** True for a text that can name a size: not empty, and not a number. */
export const isDimName = (name: string): boolean => name !== "" && !/^[\d\s+-]/.test(name);
