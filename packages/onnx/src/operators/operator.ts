/** @file What this package knows of one operator: how often it takes what, and what comes out. */
import type { Dtype } from "../dtype.ts";
import type { DtypeError, ShapeError } from "../errors.ts";
import type { Value } from "../graph/graph.ts";
import type { Dim, Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { AttributeSpecs, Resolved } from "./attribute.ts";

/** What inference says of one output. */
export interface Inferred {
  readonly dtype: Dtype;
  readonly shape: Shape;
  /**
   * Elements of a small integer output where they follow from sizes and constants, in row-major order: they carry
   * the named sizes through Shape, Gather, Concat and the like to a Reshape.
   */
  readonly contents?: readonly Dim[] | undefined;
}

/** One use of an operator, as its rule sees it. */
export interface Call<A extends AttributeSpecs = AttributeSpecs> {
  /** The node, with its scopes: "dense_1/Gemm". */
  readonly where: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Resolved<A>;
  readonly outputCount: number;
  /** An input that must be there. @throws OnnxError */
  input(index: number): Value;
  /** The tensor behind an input, where it is a constant. */
  constant(index: number): Tensor | undefined;
  /** The elements of an integer input, where they follow from sizes and constants. */
  contents(index: number): readonly Dim[] | undefined;
  /** The elements of an integer input, where all are known numbers. */
  numbers(index: number): readonly number[] | undefined;
  /** A new name for a size that only the run tells. */
  fresh(hint: string): Dim;
  shapeError(expected: string, received: string): ShapeError;
  dtypeError(expected: string, received: string): DtypeError;
}

/** Types and shapes that enter the body of a Loop or Scan, by attribute, where the node's inputs tell them. */
export type BodyInputs = Readonly<Record<string, readonly (Inferred | undefined)[]>>;

/** One operator. `inputs` and `outputs` are the least and the most that a node may have. */
export interface Operator<A extends AttributeSpecs = AttributeSpecs> {
  /** First opset whose definition this entry follows. */
  readonly since: number;
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  readonly attributes: A;
  infer(call: Call<NoInfer<A>>): readonly Inferred[];
  bodyInputs?(call: Call<NoInfer<A>>): BodyInputs;
}

/** Checks an entry of the table, and keeps its attributes' types. */
export const operator = <const A extends AttributeSpecs>(entry: Operator<A>): Operator<A> => entry;
