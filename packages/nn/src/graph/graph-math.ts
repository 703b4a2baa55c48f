/** @file Arithmetic written into a graph: the few words in which layers, losses, optimizers and gradients are written. */
import { type Dtype, dtypeCode, type GraphBuilder, ShapeError, type Value } from "@gristmill/onnx";

/** A value, or a number of the other operand's element type. */
export type Operand = Value | number;

/** Attributes of a product of matrices. */
export interface ProductOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
}

/** Writes operations into one graph. Cheap to make; holds nothing but the builder. */
export class GraphMath {
  readonly builder: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  /** A constant of the same element type as another value. */
  scalar(value: number, like: Value): Value {
    return this.builder.scalar(like.dtype === "int64" || like.dtype === "uint64" ? BigInt(value) : value, like.dtype);
  }

  add(a: Operand, b: Operand): Value {
    return this.builder.op("Add", this.#pair(a, b));
  }
  sub(a: Operand, b: Operand): Value {
    return this.builder.op("Sub", this.#pair(a, b));
  }
  mul(a: Operand, b: Operand): Value {
    return this.builder.op("Mul", this.#pair(a, b));
  }
  div(a: Operand, b: Operand): Value {
    return this.builder.op("Div", this.#pair(a, b));
  }
  greater(a: Operand, b: Operand): Value {
    return this.builder.op("Greater", this.#pair(a, b));
  }
  less(a: Operand, b: Operand): Value {
    return this.builder.op("Less", this.#pair(a, b));
  }
  equal(a: Operand, b: Operand): Value {
    return this.builder.op("Equal", this.#pair(a, b));
  }
  neg(a: Value): Value {
    return this.builder.op("Neg", [a]);
  }
  exp(a: Value): Value {
    return this.builder.op("Exp", [a]);
  }
  log(a: Value): Value {
    return this.builder.op("Log", [a]);
  }
  sqrt(a: Value): Value {
    return this.builder.op("Sqrt", [a]);
  }

  /** `condition ? a : b`, element by element. */
  where(condition: Value, a: Operand, b: Operand): Value {
    const [yes, no] = this.#pair(a, b);
    return this.builder.op("Where", [condition, yes, no]);
  }

  cast(a: Value, dtype: Dtype): Value {
    return a.dtype === dtype ? a : this.builder.op("Cast", [a], { to: dtypeCode(dtype) });
  }

  /** At most one size may be -1: it follows from the others. */
  reshape(a: Value, sizes: readonly number[]): Value {
    if (sizes.length === a.shape.length && sizes.every((size, i) => size === a.shape[i])) return a;
    return this.builder.op("Reshape", [a, this.builder.ints(...sizes)]);
  }

  /** Axis i of the result is axis `order[i]`. */
  transpose(a: Value, order: readonly number[]): Value {
    return order.every((axis, i) => axis === i) ? a : this.builder.op("Transpose", [a], { perm: order });
  }

  /** Sum over axes, which vanish unless `keep`. */
  sum(a: Value, axes: readonly number[], keep = false): Value {
    if (axes.length === 0) return a;
    return this.builder.op("ReduceSum", [a, this.builder.ints(...axes)], { keepdims: keep ? 1 : 0 });
  }

  /** Mean over axes, which vanish unless `keep`. */
  mean(a: Value, axes: readonly number[], keep = false): Value {
    if (axes.length === 0) return a;
    return this.builder.op("ReduceMean", [a, this.builder.ints(...axes)], { keepdims: keep ? 1 : 0 });
  }

  /** Product of two matrices [rows, inner] x [inner, columns], either of them turned. */
  product(a: Value, b: Value, options: ProductOptions = {}): Value {
    return this.builder.op("Gemm", [a, b], {
      ...(options.transA ? { transA: 1 } : {}),
      ...(options.transB ? { transB: 1 } : {}),
    });
  }

  /** From `starts` up to but without `ends`, by `steps`, on the axes named. */
  slice(
    a: Value,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps?: readonly number[],
  ): Value {
    const { builder } = this;
    const ints = [starts, ends, axes, ...(steps === undefined ? [] : [steps])].map((list) => builder.ints(...list));
    return builder.op("Slice", [a, ...ints]);
  }

  concat(parts: readonly Value[], axis: number): Value {
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : this.builder.op("Concat", parts, { axis });
  }

  /** A value of known sizes, each element the same. */
  filled(sizes: readonly number[], value: number, dtype: Dtype): Value {
    const like = this.builder.scalar(value, dtype);
    return sizes.length === 0 ? like : this.builder.op("Expand", [like, this.builder.ints(...sizes)]);
  }

  #pair(a: Operand, b: Operand): [Value, Value] {
    if (typeof a !== "number") return [a, typeof b === "number" ? this.scalar(b, a) : b];
    if (typeof b !== "number") return [this.scalar(a, b), b];
    throw new TypeError(`expected at least one value of the graph, received the numbers ${a} and ${b}`);
  }
}

/** Sizes of a value whose every axis is known. @throws ShapeError naming the value otherwise. */
export function sizesOf(value: Value): readonly number[] {
  return value.shape.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new ShapeError(value.name, `expected known sizes, received [${value.shape.join(", ")}]; fix "${dim}" first`);
  });
}

/** Elements of a value of known sizes. */
export const countElements = (value: Value): number => sizesOf(value).reduce((product, size) => product * size, 1);
