/** @file What is known at one place of a graph: the values that can be read there, and the constants behind them. */

import type { Knowledge } from "../operators/infer.ts";
import type { Inferred } from "../operators/operator.ts";
import type { Dim } from "../shape.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { Attribute, Node, Value } from "./graph.ts";

/** Values by name, of a graph and of the graphs around it. */
export class Scope implements Knowledge {
  readonly #outer: Scope | undefined;
  readonly #values = new Map<string, Value>();
  readonly #constants = new Map<string, Tensor>();
  readonly #contents = new Map<string, readonly Dim[]>();

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** The value of a name here or around. */
  find(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#outer?.find(name);
  }

  define(value: Value, constant?: Tensor): void {
    this.#values.set(value.name, value);
    if (constant !== undefined) this.#constants.set(value.name, constant);
  }

  /** Defines the outputs of a node, with what its rule found out about their elements. */
  defineOutputs(node: Node, results: readonly Inferred[]): void {
    for (const [i, value] of node.outputs.entries()) {
      if (value === undefined) continue;
      this.define(value, node.operator === "Constant" && node.domain === "" ? constantOfNode(node) : undefined);
      const contents = results[i]?.contents;
      if (contents !== undefined) this.#contents.set(value.name, contents);
    }
  }

  constant(value: Value): Tensor | undefined {
    return this.#constants.get(value.name) ?? this.#outer?.constant(value);
  }

  contents(value: Value): readonly Dim[] | undefined {
    return this.#contents.get(value.name) ?? this.#outer?.contents(value);
  }
}

/** The tensor that a Constant node makes; undefined for strings. */
export function constantOfNode(node: Node): Tensor | undefined {
  for (const [name, attribute] of Object.entries(node.attributes)) {
    const make = Object.hasOwn(constantMakers, name) ? constantMakers[name] : undefined;
    const made = make?.(attribute);
    if (made !== undefined) return made;
  }
  return undefined;
}

const constantMakers: Readonly<Record<string, (attribute: Attribute) => Tensor | undefined>> = {
  value: (kept) => (typeof kept === "object" && "tensor" in kept ? kept.tensor : undefined),
  value_float: (kept) =>
    typeof kept === "object" && "float" in kept ? tensor("float32", [], Float32Array.of(kept.float)) : undefined,
  value_floats: (kept) =>
    typeof kept === "object" && "floats" in kept
      ? tensor("float32", [kept.floats.length], Float32Array.from(kept.floats))
      : undefined,
  value_int: (kept) => (typeof kept === "number" ? tensor("int64", [], BigInt64Array.of(BigInt(kept))) : undefined),
  value_ints: (kept) => {
    const ints = Array.isArray(kept) ? kept.filter((item) => typeof item === "number") : undefined;
    return ints && tensor("int64", [ints.length], BigInt64Array.from(ints, BigInt));
  },
};
