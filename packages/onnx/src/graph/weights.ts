/** @file All weights of a model, and how much memory they take. */
import type { Tensor } from "../tensor.ts";
import type { Graph, Model } from "./graph.ts";

/** Initializers of a graph and the graphs inside it, each tensor once. */
export function weightsOf(graph: Graph, found = new Set<Tensor>()): Set<Tensor> {
  for (const weight of graph.initializers.values()) found.add(weight);
  for (const node of graph.nodes)
    for (const attribute of Object.values(node.attributes))
      if (typeof attribute === "object" && "graph" in attribute) weightsOf(attribute.graph, found);
  return found;
}

/** Bytes of a weight's numbers; 0 for strings. */
export const bytesOfWeight = ({ data }: Pick<Tensor, "data">): number =>
  ArrayBuffer.isView(data) ? data.byteLength : 0;

/** Bytes of all weights of a model. */
export const weightBytes = ({ graph }: Pick<Model, "graph">): number =>
  [...weightsOf(graph)].reduce((sum, weight) => sum + bytesOfWeight(weight), 0);
