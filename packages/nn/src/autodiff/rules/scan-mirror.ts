import { type Attribute, type Graph, type Node, settingsOf, type Value } from "@gristmill/onnx";
import { isGraph } from "../../graph/captured.ts";
import type { ScanWriter } from "../../graph/scan-writer.ts";

/**
 * The forward body of a Scan as its backward body sees it: each value that a step made has a stand-in, a slice of the
 * backward Scan, through which it comes back from the tape. What the body takes from around it stands for itself.
 */
export class Mirror {
  /** Nodes of the forward body on stand-ins: what is differentiated. They are in no graph. */
  readonly tape: readonly Node[];
  readonly #standIns = new Map<string, Value>();
  readonly #inner = new Map<Value, Value>();

  constructor(writer: ScanWriter, body: Graph) {
    const { builder } = writer.math;
    for (const [name, constant] of body.initializers) this.#standIns.set(name, builder.constant(constant));
    for (const value of body.inputs) this.#standFor(value, writer.slice(value));
    for (const node of body.nodes)
      for (const value of node.outputs)
        if (value !== undefined)
          this.#standFor(
            value,
            node.operator === "Constant"
              ? builder.op("Constant", [], settingsOf("Constant", node))
              : writer.slice(value),
          );
    this.tape = body.nodes.map((node) => mapNode(node, (value) => this.of(value)));
  }

  /** What stands in the backward body for a value that the forward body reads. */
  of(value: Value): Value {
    return this.#standIns.get(value.name) ?? value;
  }

  /** The value of the forward body behind a stand-in. */
  inner(standIn: Value): Value {
    return this.#inner.get(standIn) ?? standIn;
  }

  #standFor(value: Value, standIn: Value): void {
    this.#standIns.set(value.name, standIn);
    this.#inner.set(standIn, value);
  }
}

/** The node on other values, in the graphs inside it too. */
function mapNode(node: Node, of: (value: Value) => Value): Node {
  const each = (list: readonly (Value | undefined)[]) => list.map((value) => value && of(value));
  const attributes = Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] => [
    key,
    isGraph(attribute) ? { graph: mapGraph(attribute.graph, of) } : attribute,
  ]);
  return {
    ...node,
    inputs: each(node.inputs),
    outputs: each(node.outputs),
    attributes: Object.fromEntries(attributes),
  };
}

const mapGraph = (graph: Graph, of: (value: Value) => Value): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => mapNode(node, of)),
  outputs: graph.outputs.map(of),
});
