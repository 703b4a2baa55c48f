/** @file Models with weights of 8 bits: a quarter of the size, and products of whole numbers where these are faster. */
import { isFloating } from "../dtype.ts";
import type { Attribute, Graph, Model, Node } from "../graph/graph.ts";
import { liftConstants } from "../graph/lift-constants.ts";
import { Names } from "../graph/names.ts";
import { weightBytes } from "../graph/weights.ts";
import type { Tensor } from "../tensor.ts";
import { Frame } from "./frame.ts";
import { dynamicRewrites, type Rewrite, weightOnlyRewrites } from "./rewrites.ts";
import type { WeightBits } from "./weight.ts";

/** How a model is quantized. */
export interface QuantizeOptions {
  /**
   * "dynamic" when not said: activations are quantized too, as they come, and MatMul and Gemm multiply whole numbers.
   * "weightOnly": only weights are whole numbers, and become fractions before they are used; also those of Conv.
   */
  readonly mode?: "dynamic" | "weightOnly";
  /**
   * 8 when not said. 7 gives up half of the precision of the weights for processors without VNNI, whose products of
   * unsigned and signed bytes stop at 32,767 where two neighbours are large.
   */
  readonly bits?: WeightBits;
  /** Weights of fewer elements stay as they are; 1024 when not said. */
  readonly leastElements?: number;
  /** Nodes for which this gives true stay as they are: the first and the last layer, for instance. */
  readonly skip?: (node: Node) => boolean;
}

/** A node whose weight became whole numbers. */
export interface QuantizedNode {
  readonly node: string;
  readonly operator: string;
  readonly weight: string;
  readonly shape: readonly number[];
}

/** A node with a weight that stays as it is. */
export interface LeftNode {
  readonly node: string;
  readonly operator: string;
  readonly reason: string;
}

/** The new model, with what was done and what not. */
export interface Quantized {
  readonly model: Model;
  readonly quantized: readonly QuantizedNode[];
  readonly left: readonly LeftNode[];
  /** Bytes of all weights. */
  readonly weightBytes: { readonly before: number; readonly after: number };
}

/** Operators with a weight, and which input it is. */
const weightInput: ReadonlyMap<string, number> = new Map([
  ["Conv", 1],
  ["Gather", 0],
  ["Gemm", 1],
  ["MatMul", 1],
]);

/**
 * Quantizes the float32 weights of MatMul, Gemm and Gather (embeddings), and with `weightOnly` those of Conv: int8, symmetric,
 * with a scale for each output channel or row. Inputs, outputs and their types stay; weights in Constant nodes become initializers. The given model is not changed.
 *
 * Convolutions stay as they are in the dynamic mode: ConvInteger was 1.1 to 13 times slower than Conv where it was measured
 * (ONNX Runtime 1.30, one thread of a Xeon with VNNI), and MatMulInteger 2 to 5 times faster than MatMul.
 */
export function quantizeModel(model: Model, options: QuantizeOptions = {}): Quantized {
  // some exporters keep weights in Constant nodes
  const { graph: before } = liftConstants(model);
  const run = new Quantization(before, options);
  const graph = run.rewrite(before, undefined);
  return {
    model: { ...model, graph },
    quantized: run.quantized,
    left: run.left,
    weightBytes: { before: weightBytes({ graph: before }), after: weightBytes({ graph }) },
  };
}

class Quantization {
  readonly quantized: QuantizedNode[] = [];
  readonly left: LeftNode[] = [];
  readonly #options: QuantizeOptions;
  readonly #rewrites: ReadonlyMap<string, Rewrite>;
  readonly #names = new Names();

  constructor(graph: Graph, options: QuantizeOptions) {
    this.#options = options;
    this.#rewrites = options.mode === "weightOnly" ? weightOnlyRewrites : dynamicRewrites;
    for (const name of new Set(namesOf(graph))) this.#names.fresh(name);
  }

  rewrite(graph: Graph, outer: Frame | undefined): Graph {
    const frame = new Frame(graph, this.#names, outer);
    for (const node of graph.nodes) {
      const index = node.domain === "" ? weightInput.get(node.operator) : undefined;
      if (index === undefined) frame.nodes.push(withBodies(node, (body) => this.rewrite(body, frame)));
      else this.#offer(frame, node, index);
    }
    const rewritten = { ...graph, nodes: frame.nodes };
    // weights that nothing reads any more
    const read = new Set(namesRead(rewritten));
    for (const name of graph.initializers.keys())
      if (!read.has(name) && this.quantized.some(({ weight }) => weight === name)) frame.initializers.delete(name);
    return { ...rewritten, initializers: frame.initializers };
  }

  /** Rewrites a node, or keeps it and says why. */
  #offer(frame: Frame, node: Node, index: number): void {
    const name = node.inputs[index]?.name;
    const weight = name === undefined ? undefined : frame.findWeight(name);
    const rewrite = this.#rewrites.get(node.operator);
    // indices and sizes are gathered too: only a table of numbers with a fraction is a weight
    const isTable = weight !== undefined && isFloating(weight.tensor.dtype);
    if (node.operator === "Gather" && !isTable) {
      frame.nodes.push(node);
      return;
    }
    const reason = this.#reasonToLeave(node, weight?.tensor, rewrite);
    if (reason === undefined && weight !== undefined && rewrite !== undefined && weight.tensor.dtype === "float32") {
      const site = { frame, node, weight, weights: weight.tensor.data, bits: this.#options.bits ?? 8 };
      const failed = rewrite(site);
      const { operator } = node;
      if (failed === undefined) {
        this.quantized.push({ node: node.name, operator, weight: weight.name, shape: weight.tensor.shape });
        return;
      }
      this.left.push({ node: node.name, operator, reason: failed });
    } else if (reason !== undefined) this.left.push({ node: node.name, operator: node.operator, reason });
    frame.nodes.push(node);
  }

  #reasonToLeave(node: Node, weight: Quantizable | undefined, rewrite: Rewrite | undefined): string | undefined {
    const least = this.#options.leastElements ?? 1024;
    if (weight === undefined) return "its weight is no constant of the model";
    if (weight.dtype !== "float32") return `its weight is ${weight.dtype}, and only float32 is quantized`;
    if (node.operator !== "Conv" && weight.shape.length !== 2) return "its weight is no matrix";
    if (weight.data.length < least) return `its weight has fewer than ${least} elements`;
    if (this.#options.skip?.(node) === true) return "it was to be left";
    if (rewrite === undefined) return "whole numbers do not make it faster; weightOnly makes it smaller";
    return undefined;
  }
}

type Quantizable = Pick<Tensor, "dtype" | "shape" | "data">;

function withBodies(node: Node, rewrite: (body: Graph) => Graph): Node {
  const bodies = Object.entries(node.attributes).flatMap(([name, attribute]): [string, Attribute][] =>
    typeof attribute === "object" && "graph" in attribute ? [[name, { graph: rewrite(attribute.graph) }]] : [],
  );
  return bodies.length === 0 ? node : { ...node, attributes: { ...node.attributes, ...Object.fromEntries(bodies) } };
}

const bodiesOf = (node: Node): Graph[] =>
  Object.values(node.attributes).flatMap((attribute) =>
    typeof attribute === "object" && "graph" in attribute ? [attribute.graph] : [],
  );

function* namesOf(graph: Graph): Iterable<string> {
  yield* graph.initializers.keys();
  for (const input of graph.inputs) yield input.name;
  for (const node of graph.nodes) {
    yield node.name;
    for (const value of node.outputs) if (value !== undefined) yield value.name;
    for (const body of bodiesOf(node)) yield* namesOf(body);
  }
}

/** Names that nodes read and outputs show, in the graph and the graphs inside it. */
function* namesRead(graph: Graph): Iterable<string> {
  for (const output of graph.outputs) yield output.name;
  for (const node of graph.nodes) {
    for (const value of node.inputs) if (value !== undefined) yield value.name;
    for (const body of bodiesOf(node)) yield* namesRead(body);
  }
}
