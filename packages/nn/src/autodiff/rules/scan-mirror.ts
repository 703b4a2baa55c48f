import { type Graph, type Node, settingsOf, type Value } from "@gristmill/onnx";
import { mapNode } from "../../graph/scan-map.ts";
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
