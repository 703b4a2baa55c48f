/** @file Graphs are written with a GraphBuilder: each operation is checked, and typed, where it is written. */
import type { Dtype } from "../dtype.ts";
import { DtypeError, OnnxError, ShapeError } from "../errors.ts";
import type { AttributeSpecs } from "../operators/attribute.ts";
import { inferNode } from "../operators/infer.ts";
import { keepAttributes } from "../operators/settings.ts";
import { type AttributesOf, findOperator, type OperatorName } from "../operators/table.ts";
import { formatShape, isDimName, isUnknownShape, type Shape } from "../shape.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { assertGraph } from "./check.ts";
import { constantKey, scalarTensor } from "./constants.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { Names } from "./names.ts";
import { Scope } from "./scope.ts";

/**
 * Writes a graph, operation by operation.
 *
 * - Types: each operation's element type and shape follow from the operator table; a mistake throws `ShapeError` or
 *   `DtypeError` that names the node with its scopes, such as "dense_1/Gemm".
 * - Named sizes ("batch") go through; what cannot be named so gets a derived name ("batch*26").
 * - Sub-graphs (bodies of Loop, Scan, If) are built with `outer`, see the values of all builders around them, and share
 *   one space of names with them.
 */
export class GraphBuilder {
  readonly name: string;
  readonly #outer: GraphBuilder | undefined;
  readonly #names: Names;
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Tensor>();
  readonly #scope: Scope;
  readonly #made = new Set<Value>();
  readonly #shared = new Map<string, Value>();
  readonly #scopes: string[];

  constructor(name = "graph", options: { outer?: GraphBuilder } = {}) {
    this.name = name;
    this.#outer = options.outer;
    const { outer } = options;
    this.#names = outer === undefined ? new Names() : outer.#names;
    this.#scope = outer === undefined ? new Scope() : new Scope(outer.#scope);
    this.#scopes = outer === undefined ? [] : [...outer.#scopes];
  }

  /** Nodes in the order in which they were made. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /**
   * A value that the caller of the graph feeds.
   * @throws OnnxError when the name is taken. @throws ShapeError for sizes that are no whole numbers or names.
   */
  input(name: string, dtype: Dtype, shape: Shape): Value {
    for (const dim of shape)
      if (typeof dim === "number" ? !Number.isSafeInteger(dim) || dim < 0 : !isDimName(dim))
        throw new ShapeError(
          name,
          `expected whole sizes from 0, or names such as "batch", received ${formatShape(shape)}`,
        );
    const value: Value = { name: this.#names.claim(name), dtype, shape: [...shape] };
    this.#scope.define(value);
    this.#inputs.push(value);
    return value;
  }

  /** A named weight. @throws OnnxError when the name is taken. */
  initializer(name: string, value: Tensor): Value {
    return this.#keep(this.#names.claim(name), value);
  }

  /** An unnamed constant. Equal small constants are one value, also when a graph around this one has it. */
  constant(value: Tensor): Value {
    const key = constantKey(value);
    const shared = key === undefined ? undefined : this.#findShared(key);
    if (shared !== undefined) return shared;
    const made = this.#keep(this.#names.fresh("constant"), value);
    if (key !== undefined) this.#shared.set(key, made);
    return made;
  }

  /** A constant without axes. */
  scalar(value: number | bigint | boolean, dtype: Dtype = "float32"): Value {
    return this.constant(scalarTensor(value, dtype));
  }

  /** A constant int64 list. @throws DtypeError for numbers that are not whole. */
  ints(...values: number[]): Value {
    const wrong = values.find((value) => !Number.isSafeInteger(value));
    if (wrong !== undefined) throw new DtypeError("ints", `expected whole numbers, received ${wrong}`);
    return this.constant(tensor("int64", [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** The tensor behind a value that is an initializer or constant of this graph or one around it. */
  constantOf(value: Value): Tensor | undefined {
    return this.#scope.constant(value);
  }

  /** Adds a node and gives its first output. @throws ShapeError, DtypeError, OnnxError naming the node. */
  op<O extends OperatorName>(operator: O, inputs: readonly (Value | undefined)[], attributes?: AttributesOf<O>): Value {
    return this.#add(operator, inputs, attributes ?? {}, 1)[0];
  }

  /** Adds a node with several outputs. @throws ShapeError, DtypeError, OnnxError naming the node. */
  ops<O extends OperatorName>(
    operator: O,
    inputs: readonly (Value | undefined)[],
    attributes: AttributesOf<O>,
    outputCount: number,
  ): Value[] {
    return this.#add(operator, inputs, attributes, outputCount);
  }

  /** Makes a value an output of the graph; through an Identity when it needs a name, or no node of this graph makes it. */
  output(value: Value, name?: string): Value {
    const direct = this.#made.has(value) && !this.#outputs.includes(value);
    if (direct && (name === undefined || name === value.name)) {
      this.#outputs.push(value);
      return value;
    }
    const [named] = this.#add("Identity", [value], {}, 1, name);
    this.#outputs.push(named);
    return named;
  }

  /** Runs `body` so that the nodes it makes are named "scope/...". Scopes nest. */
  within<T>(scope: string, body: () => T): T {
    this.#scopes.push(scope);
    try {
      return body();
    } finally {
      this.#scopes.pop();
    }
  }

  /** The finished graph. @throws OnnxError listing every problem that the checker finds. */
  build(): Graph {
    const graph: Graph = {
      name: this.name,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      initializers: new Map(this.#initializers),
      nodes: [...this.#nodes],
    };
    if (this.#outer === undefined) assertGraph(graph);
    return graph;
  }

  #add(
    operator: OperatorName,
    inputs: readonly (Value | undefined)[],
    given: Readonly<Record<string, unknown>>,
    outputCount: number,
    outputName?: string,
  ): [Value, ...Value[]] {
    const name = this.#names.fresh([...this.#scopes, operator].join("/"));
    const specs: AttributeSpecs = findOperator(operator)?.attributes ?? {};
    const attributes = keepAttributes(name, specs, given as Parameters<typeof keepAttributes>[2]);
    for (const value of inputs) if (value !== undefined) this.#assertVisible(name, value);
    const first = outputName === undefined ? name : this.#names.claim(outputName);
    const names = [first, ...Array.from({ length: outputCount - 1 }, (_, i) => this.#names.fresh(`${name}.${i + 1}`))];
    const results = inferNode({ where: name, operator, domain: "", inputs, attributes, outputs: names }, this.#scope);
    const outputs = results.map(
      ({ dtype, shape }, i): Value => ({
        name: names[i] ?? name,
        dtype,
        shape: isUnknownShape(shape) ? shape : [...shape],
      }),
    );
    const node: Node = { name, operator, domain: "", inputs: [...inputs], outputs, attributes };
    this.#scope.defineOutputs(node, results);
    for (const value of outputs) this.#made.add(value);
    this.#nodes.push(node);
    const [lead, ...others] = outputs;
    if (lead === undefined) throw new OnnxError(name, `outputCount must be at least 1, received ${outputCount}`);
    return [lead, ...others];
  }

  #keep(name: string, constant: Tensor): Value {
    const value: Value = { name, dtype: constant.dtype, shape: constant.shape };
    this.#initializers.set(name, constant);
    this.#scope.define(value, constant);
    return value;
  }

  #assertVisible(where: string, value: Value): void {
    if (this.#scope.find(value.name) === value) return;
    throw new OnnxError(
      where,
      `"${value.name}" is no value of graph "${this.name}" or one around it; build sub-graphs with { outer }`,
    );
  }

  #findShared(key: string): Value | undefined {
    const own = this.#shared.get(key);
    return own === undefined && this.#outer !== undefined ? this.#outer.#findShared(key) : own;
  }
}
