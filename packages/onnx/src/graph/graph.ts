/** @file The graph language: values flow through nodes. Training and serving are both written in it. */
import type { Dtype } from "../dtype.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** One edge of a graph: what a node makes or a caller feeds. Names are unique within a graph and its outer graphs. */
export interface Value {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/** A node's setting. `{ float: 1 }` and `{ floats: [1] }` say "float" where a plain number would be an int. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Tensor }
  | { readonly graph: Graph };

/** Settings of a node by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One operation. A missing optional input or output is undefined. */
export interface Node {
  readonly name: string;
  readonly operator: string;
  /** "" is ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
}

/** Nodes in an order in which each comes after what it reads. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Weights and constants, by value name. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly Node[];
}

/** A graph with what a file says about it. */
export interface Model {
  readonly graph: Graph;
  /** Version of the ai.onnx operator set. */
  readonly opset: number;
  /** Version that the model's file is written in, where it was an older one, and reading rewrote it. */
  readonly writtenOpset?: number;
  /** Versions of other operator sets by domain, where they are not 1. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
}
