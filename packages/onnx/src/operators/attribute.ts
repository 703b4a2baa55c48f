/** @file What attributes an operator takes: one line per attribute, from which both types and checks follow. */
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../tensor.ts";

/** TypeScript's type of each kind of attribute. */
export interface AttributeTypes {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
  strings: readonly string[];
  tensor: Tensor;
  graph: Graph;
}

/** A kind of attribute that ONNX knows and this package carries. */
export type AttributeKind = keyof AttributeTypes;

type Presence = "optional" | "default" | "required";

/** One attribute of an operator: its kind, and its value when a node does not say. */
export interface AttributeSpec<K extends AttributeKind = AttributeKind, P extends Presence = Presence> {
  readonly kind: K;
  readonly presence: P;
  readonly value?: AttributeTypes[K];
}

/** Attributes of an operator by name. */
export type AttributeSpecs = Readonly<Record<string, AttributeSpec>>;

/** An attribute that has a meaning when absent. */
export const optional = <K extends AttributeKind>(kind: K): AttributeSpec<K, "optional"> => ({
  kind,
  presence: "optional",
});

/** An attribute that ONNX gives a value when absent. */
export const preset = <K extends AttributeKind>(kind: K, value: AttributeTypes[K]): AttributeSpec<K, "default"> => ({
  kind,
  presence: "default",
  value,
});

/** An attribute that every node must have. */
export const required = <K extends AttributeKind>(kind: K): AttributeSpec<K, "required"> => ({
  kind,
  presence: "required",
});

/** What a caller writes: required attributes, and any of the others. */
export type Given<A extends AttributeSpecs> = {
  readonly [N in keyof A as A[N]["presence"] extends "required" ? N : never]: AttributeTypes[A[N]["kind"]];
} & {
  readonly [N in keyof A as A[N]["presence"] extends "required" ? never : N]?: AttributeTypes[A[N]["kind"]] | undefined;
};

/** What a rule reads: every attribute, with ONNX's default where the caller gave none. */
export type Resolved<A extends AttributeSpecs> = {
  readonly [N in keyof A]: AttributeTypes[A[N]["kind"]] | (A[N]["presence"] extends "optional" ? undefined : never);
};
