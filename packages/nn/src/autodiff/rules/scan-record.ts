import type { Node, Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { inOrder, isInOrder, type ScanForm, type Stack } from "../../graph/scan-form.ts";
import { stacksOf, taped } from "../../graph/scan-tape.ts";

/** Inner values of a Scan, stacked over its steps: its own sequences and rows, and what it is made to record. */
export class Recording {
  readonly #math: GraphMath;
  readonly #node: Node;
  readonly #form: ScanForm;
  readonly #stacks: Map<string, Stack>;

  constructor(math: GraphMath, node: Node, form: ScanForm) {
    this.#math = math;
    this.#node = node;
    this.#form = form;
    this.#stacks = stacksOf(form);
    form.sequences.forEach((sequence, i) => {
      const slice = form.body.inputs[form.states.length + i];
      if (slice !== undefined) this.#stacks.set(slice.name, sequence);
    });
  }

  /** Records inner values; those of `ordered` in the order of the steps along axis 0. One more Scan at most is written. */
  record(values: readonly Value[], ordered: readonly Value[]): void {
    const missing = new Map(values.filter(({ name }) => !this.#stacks.has(name)).map((value) => [value.name, value]));
    for (const value of ordered) {
      const stack = this.#stacks.get(value.name);
      if (stack === undefined || !isInOrder(stack.walk)) missing.set(value.name, value);
    }
    if (missing.size === 0) return;
    const { builder } = this.#math;
    const first = this.#form.body.outputs.length;
    const name = `${builder.name}/tape${builder.nodes.length}`;
    const attributes = taped(this.#form, [...missing.values()], name);
    const outputs = builder.ops("Scan", this.#node.inputs, attributes, first + missing.size);
    [...missing.keys()].forEach((inner, i) => {
      const value = outputs[first + i];
      if (value !== undefined) this.#stacks.set(inner, { value, walk: inOrder });
    });
  }

  /** The stack of an inner value. @throws Error when it was not recorded. */
  stack(inner: Value): Stack {
    const stack = this.#stacks.get(inner.name);
    if (stack === undefined) throw new Error(`${this.#node.name}: "${inner.name}" was not recorded`);
    return stack;
  }
}
