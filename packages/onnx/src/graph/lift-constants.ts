/** @file Weights that a file keeps in Constant nodes become initializers, as they are where a graph is built here. */
import type { Tensor } from "../tensor.ts";
import type { Attribute, Graph, Model, Node, Value } from "./graph.ts";
import { constantOfNode } from "./scope.ts";

/**
 * The same model with an initializer for each Constant node, under the node's output name, also in the graphs inside it.
 * Some exporters write all weights as Constant nodes; whoever trains, replaces or quantizes weights looks for initializers.
 * Constants that are outputs of their graph stay, since an initializer cannot be one. The given model is not changed.
 */
export const liftConstants = (model: Model): Model => ({ ...model, graph: lifted(model.graph) });

function lifted(graph: Graph): Graph {
  const shown = new Set(graph.outputs.map((output: Value) => output.name));
  const initializers = new Map<string, Tensor>(graph.initializers);
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const name = node.outputs[0]?.name;
    const isConstant = node.operator === "Constant" && node.domain === "";
    const constant = isConstant && name !== undefined && !shown.has(name) ? constantOfNode(node) : undefined;
    if (constant === undefined || name === undefined) nodes.push(withLiftedBodies(node));
    else initializers.set(name, constant);
  }
  return { ...graph, initializers, nodes };
}

function withLiftedBodies(node: Node): Node {
  const attributes = Object.entries(node.attributes).map(([name, attribute]): [string, Attribute] => [
    name,
    typeof attribute === "object" && "graph" in attribute ? { graph: lifted(attribute.graph) } : attribute,
  ]);
  return { ...node, attributes: Object.fromEntries(attributes) };
}
