/** @file The few rules of shapes and types that most operators share. */
import { broadcastDims, multiplyDims } from "../dim.ts";
import { type Dtype, dtypes } from "../dtype.ts";
import type { Value } from "../graph/graph.ts";
import { type Dim, formatShape, mostAxes, type Shape } from "../shape.ts";
import type { Call, Inferred } from "./operator.ts";

/** Element types by what can be done with them. */
export const floats: readonly Dtype[] = ["float16", "float32", "float64"];
/** Whole numbers with a sign. */
export const signedIntegers: readonly Dtype[] = ["int8", "int16", "int32", "int64"];
/** Whole numbers without a sign. */
export const unsignedIntegers: readonly Dtype[] = ["uint8", "uint16", "uint32", "uint64"];
/** All whole numbers. */
export const integers: readonly Dtype[] = [...signedIntegers, ...unsignedIntegers];
/** Everything that can be negative. */
export const signed: readonly Dtype[] = [...floats, ...signedIntegers];
/** Everything that can be added. */
export const numeric: readonly Dtype[] = [...floats, ...integers];
/** Truth values. */
export const bools: readonly Dtype[] = ["bool"];
/** The two types that positions come in. */
export const indices: readonly Dtype[] = ["int32", "int64"];
/** Every element type. */
export const anything: readonly Dtype[] = dtypes;

/** The input at `index`. @throws DtypeError when its element type is not one of `allowed`. */
export function take(call: Call, index: number, allowed: readonly Dtype[]): Value {
  const value = call.input(index);
  if (!allowed.includes(value.dtype))
    throw call.dtypeError(`${allowed.join(", ")} for "${value.name}" (input ${index})`, value.dtype);
  return value;
}

/** Inputs from `first` on, all of one element type. @throws DtypeError when they differ. */
export function takeSame(call: Call, allowed: readonly Dtype[], count = call.inputs.length, first = 0): Value[] {
  const values = Array.from({ length: count - first }, (_, i) => take(call, first + i, allowed));
  const [lead] = values;
  for (const value of values)
    if (lead !== undefined && value.dtype !== lead.dtype)
      throw call.dtypeError(`${lead.dtype}, as "${lead.name}" has, for "${value.name}"`, value.dtype);
  return values;
}

/** Checks that an input, when given, has the element type of another one. */
export function sameDtype(call: Call, index: number, as: Value): Value | undefined {
  const value = call.inputs[index];
  if (value !== undefined && value.dtype !== as.dtype)
    throw call.dtypeError(`${as.dtype}, as "${as.name}" has, for "${value.name}"`, value.dtype);
  return value;
}

/** Checks that an input has so many axes. */
export function takeRank(call: Call, value: Value, least: number, most = least): Shape {
  if (value.shape.length < least || value.shape.length > most)
    throw call.shapeError(
      `${least === most ? least : `${least} to ${most}`} axes for "${value.name}"`,
      formatShape(value.shape),
    );
  return value.shape;
}

/** The size of two axes that must be equal: the known one of the two. @throws ShapeError when both are known and differ. */
export function unify(call: Call, a: Dim, b: Dim, what: string): Dim {
  if (typeof a === "number" && typeof b === "number" && a !== b) throw call.shapeError(`${what} ${a}`, String(b));
  return typeof a === "number" ? a : b;
}

/**
 * NumPy's broadcasting: shapes are aligned at their last axes; size 1 stretches. Two different names give a name of
 * their own, since either may stand for 1.
 */
export function broadcast(call: Call, ...shapes: readonly Shape[]): Shape {
  return shapes.reduce((a, b) => {
    const rank = Math.max(a.length, b.length);
    return Array.from({ length: rank }, (_, i): Dim => {
      const p = a[i - rank + a.length] ?? 1;
      const q = b[i - rank + b.length] ?? 1;
      if (p === q || q === 1) return p;
      if (p === 1) return q;
      if (typeof p === "number" && typeof q === "number")
        throw call.shapeError("shapes that broadcast (equal sizes, or 1)", shapes.map(formatShape).join(" and "));
      // a name against a size above 1 can only be that size or 1: the result is the size
      if (typeof p === "number") return p;
      return typeof q === "number" ? q : broadcastDims(p, q);
    });
  });
}

/** An axis counted from the start. @throws ShapeError when the shape has no such axis. */
export function axisOf(call: Call, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw call.shapeError(`an axis from ${-rank} to ${rank - 1}`, String(axis));
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the start, each once. */
export function axesOf(call: Call, axes: readonly number[], rank: number): number[] {
  const found = axes.map((axis) => axisOf(call, axis, rank));
  if (new Set(found).size !== found.length) throw call.shapeError("each axis once", `[${axes.join(", ")}]`);
  return found;
}

/** So many sizes that only the run tells, each with a name of its own. @throws ShapeError when no tensor has so many axes. */
export function freshAxes(call: Call, count: number): Shape {
  if (count > mostAxes) throw call.shapeError(`at most ${mostAxes} axes`, String(count));
  return Array.from({ length: count }, (_, i) => call.fresh(`axis${i}`));
}

/** Product of some axes; 1 for none. */
export const volume = (shape: Shape): Dim => multiplyDims(...shape);

/** A rule for `y = f(x)`: the output is like the only input. */
export const likeInput =
  (allowed: readonly Dtype[]) =>
  (call: Call): readonly Inferred[] => {
    const x = take(call, 0, allowed);
    return [{ dtype: x.dtype, shape: x.shape }];
  };

/** A rule for element-wise operators of one element type with broadcasting; `result` when the output has another type. */
export const broadcasting =
  (allowed: readonly Dtype[], result?: Dtype) =>
  (call: Call): readonly Inferred[] => {
    const values = takeSame(call, allowed);
    // two at a time: a file may list a hundred thousand inputs, more than one call can take
    const shape = values.reduce<Shape>((joined, value) => broadcast(call, joined, value.shape), call.input(0).shape);
    return [{ dtype: result ?? call.input(0).dtype, shape }];
  };
