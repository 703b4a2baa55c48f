/** @file What a gradient rule is: from the gradients of a node's outputs to those of its inputs. */
import type { Node, OperatorName, SettingsOf, Tensor, Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** One node on the way back, as its rule sees it. Sizes are known: gradients are taken of graphs with a fixed batch. */
export interface GradientCall<O extends OperatorName = OperatorName> {
  readonly math: GraphMath;
  readonly node: Node;
  /** Attributes, with ONNX's defaults where the node has none. */
  readonly settings: SettingsOf<O>;
  /** Gradient of the first output. */
  readonly dy: Value;
  /** Gradient of any output; undefined when nothing depends on it. */
  gradient(output: number): Value | undefined;
  /** An input that must be there. */
  input(index: number): Value;
  /** An output that must be there. */
  output(index: number): Value;
  /** Values that the graphs inside the node read from around it. They are counted on after its inputs. */
  readonly captured: readonly Value[];
  /** True when somebody wants the gradient of an input or captured value: the others need not be computed. */
  needs(index: number): boolean;
  /** The tensor behind an input, where it is a constant. */
  constant(index: number): Tensor | undefined;
  /** Elements of a constant integer input. @throws NnError when it is not constant. */
  ints(index: number): readonly number[];
  /** The walk back through the nodes of a graph inside this one; undefined for what its seeds don't depend on. */
  differentiate(
    math: GraphMath,
    tape: readonly Node[],
    seeds: readonly Seed[],
    wanted: readonly Value[],
  ): readonly (Value | undefined)[];
  /** An error that says that this use has no gradient, and why. */
  unsupported(why: string): Error;
}

/** A value that is differentiated, and the gradient it starts with. */
export interface Seed {
  readonly value: Value;
  readonly gradient: Value;
}

/** The gradient of each input, then of each captured value; undefined where it has none or nobody needs it. */
export type GradientRule<O extends OperatorName = OperatorName> = (
  call: GradientCall<O>,
) => readonly (Value | undefined)[];

/**
 * What the table says of an operator: its rule; "nonDifferentiable" when its outputs do not move with its inputs (or
 * only in jumps), so that gradients end there; "noRule" when it has a gradient that nobody has written yet.
 */
export type GradientEntry<O extends OperatorName> = GradientRule<O> | "nonDifferentiable" | "noRule";

/** The table's type: every operator, or it does not compile. */
export type GradientTable = { readonly [O in OperatorName]: GradientEntry<O> };
