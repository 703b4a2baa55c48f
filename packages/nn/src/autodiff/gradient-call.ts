/** @file A node as its gradient rule sees it. */
import { type Node, type OperatorName, settingsOf, type Value } from "@gristmill/onnx";
import { capturedValues } from "../graph/captured.ts";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";
import { unsupported } from "./gradient-error.ts";
import type { GradientCall } from "./rule.ts";

/** A node's inputs, then what the graphs inside it capture. */
export const readsOf = (node: Node): (Value | undefined)[] => [...node.inputs, ...capturedValues(node)];

/** What is known on the way back. */
export interface WayBack {
  readonly math: GraphMath;
  /** Gradients found so far. */
  readonly found: ReadonlyMap<Value, Value>;
  /** Values whose gradient somebody wants. */
  readonly needed: ReadonlySet<Value>;
  readonly differentiate: GradientCall["differentiate"];
}

/**
 * The call of a node's rule. `shown` is the node with the values that the rule shall work with: the node itself, or its
 * copy where it was written a second time.
 */
export function callOf({ math, found, needed, differentiate }: WayBack, node: Node, shown: Node): GradientCall {
  const reads = readsOf(node);
  const gradient = (index: number): Value | undefined => {
    const output = node.outputs[index];
    return output && found.get(output);
  };
  const present = (list: readonly (Value | undefined)[], index: number, what: string): Value => {
    const value = list[index];
    if (value === undefined) throw unsupported(node, `${what} ${index} is missing`);
    return value;
  };
  const constant: GradientCall["constant"] = (index) => {
    const input = node.inputs[index];
    return input && math.builder.constantOf(input);
  };
  return {
    math,
    node: shown,
    settings: settingsOf(shown.operator as OperatorName, shown),
    // a rule for the first output alone may be asked when only another one has a gradient
    get dy() {
      const first = present(node.outputs, 0, "output");
      return gradient(0) ?? math.filled(sizesOf(first), 0, first.dtype);
    },
    gradient,
    input: (index) => present(shown.inputs, index, "input"),
    output: (index) => present(shown.outputs, index, "output"),
    captured: reads.slice(node.inputs.length).filter((value) => value !== undefined),
    needs: (index) => {
      const read = reads[index];
      return read !== undefined && needed.has(read);
    },
    constant,
    ints: (index) => {
      const tensor = constant(index);
      if (tensor === undefined || tensor.dtype === "string")
        throw unsupported(node, `input ${index} must be a constant`);
      return Array.from<number | bigint, number>(tensor.data, Number);
    },
    differentiate,
    unsupported: (why) => unsupported(node, why),
  };
}
