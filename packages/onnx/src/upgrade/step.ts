/** @file One step from an older operator set to the one that the table follows. */
import type { Attributes, Value } from "../graph/graph.ts";
import type { AttributesOf, OperatorName } from "../operators/table.ts";
import type { Tensor } from "../tensor.ts";

/** A node as an older file writes it: nothing of it has been checked. */
export interface OldNode {
  readonly where: string;
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  /** Names of the outputs; undefined for one that nobody wants. */
  readonly outputs: readonly (string | undefined)[];
}

/** What a step may use to write the same in today's operators. */
export interface Workbench {
  /** A constant of the graph, under a name that nobody has. */
  constant(hint: string, value: Tensor): Value;
  /** A node before the one that is rewritten; its one output. @throws OnnxError when it does not fit. */
  insert<O extends OperatorName>(
    operator: O,
    inputs: readonly (Value | undefined)[],
    attributes?: AttributesOf<O>,
  ): Value;
  /** The tensor behind a value, where it is a constant. */
  constantOf(value: Value | undefined): Tensor | undefined;
  /** @throws OnnxFormatError that names the node and its operator. */
  refuse(why: string): never;
}

/** Writes a node of an older operator set as one of a newer set, with nodes before it where one does not do. */
export type Step = (node: OldNode, bench: Workbench) => OldNode;

/** A step for models of operator sets below `before`. */
export interface Upgrade {
  readonly before: number;
  readonly step: Step;
}
