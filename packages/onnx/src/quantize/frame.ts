/** @file A graph while its nodes are rewritten: what it holds, what is added, and what is found in the graphs around it. */
import type { Attributes, Graph, Node, Value } from "../graph/graph.ts";
import type { Names } from "../graph/names.ts";
import type { Tensor } from "../tensor.ts";

/** A weight, and the graph that holds it. */
export interface FoundWeight {
  readonly frame: Frame;
  readonly name: string;
  readonly tensor: Tensor;
}

/** One graph on its way. */
export class Frame {
  readonly outer: Frame | undefined;
  readonly nodes: Node[] = [];
  readonly initializers: Map<string, Tensor>;
  readonly #inputs: ReadonlySet<string>;
  readonly #names: Names;
  readonly #shared = new Map<string, readonly Value[]>();

  constructor(graph: Graph, names: Names, outer: Frame | undefined) {
    this.outer = outer;
    this.initializers = new Map(graph.initializers);
    this.#inputs = new Set(graph.inputs.map((input) => input.name));
    this.#names = names;
  }

  /** The constant weight of a name, here or around; an initializer that is also an input is only its default. */
  findWeight(name: string): FoundWeight | undefined {
    if (this.#inputs.has(name)) return undefined;
    const tensor = this.initializers.get(name);
    return tensor === undefined ? this.outer?.findWeight(name) : { frame: this, name, tensor };
  }

  /** Adds a weight. */
  keep(wish: string, tensor: Tensor): Value {
    const name = this.#names.fresh(wish);
    this.initializers.set(name, tensor);
    return { name, dtype: tensor.dtype, shape: tensor.shape };
  }

  /** Adds a node that makes values of the given types; their names and the node's come from `wish`. */
  add(
    wish: string,
    operator: string,
    inputs: readonly Value[],
    outputs: readonly Pick<Value, "dtype" | "shape">[],
    attributes: Attributes = {},
  ): Value[] {
    const made = outputs.map(({ dtype, shape }): Value => ({ name: this.#names.fresh(wish), dtype, shape }));
    this.nodes.push({ name: made[0]?.name ?? wish, operator, domain: "", inputs, outputs: made, attributes });
    return made;
  }

  /** What was made under a key, made once for this graph. */
  once(key: string, make: () => readonly Value[]): readonly Value[] {
    const made = this.#shared.get(key) ?? make();
    this.#shared.set(key, made);
    return made;
  }
}
