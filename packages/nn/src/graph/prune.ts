/** @file Drops what no output needs: activations that were only a way to logits, relus that moved behind a pool. */
import type { Graph, Node, Value } from "@gristmill/onnx";
import { isGraph } from "./captured.ts";

/** Names that a node reads, those that the graphs inside it take from around them among them. */
function namesRead(node: Node): string[] {
  const own = node.inputs.flatMap((input) => (input === undefined ? [] : [input.name]));
  const inner = Object.values(node.attributes).flatMap((attribute) =>
    isGraph(attribute)
      ? [...attribute.graph.nodes.flatMap(namesRead), ...attribute.graph.outputs.map((output) => output.name)]
      : [],
  );
  return [...own, ...inner];
}

/** The same graph without nodes and initializers that no output depends on. Inputs stay. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((output) => output.name));
  const isNeeded = (value: Value | undefined): boolean => value !== undefined && needed.has(value.name);
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some(isNeeded)) continue;
    kept.push(node);
    for (const name of namesRead(node)) needed.add(name);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)));
  return { ...graph, nodes: kept.reverse(), initializers };
}
