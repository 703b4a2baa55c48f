/** @file Drops what no output needs: activations that were only a way to logits, relus that moved behind a pool. */
import type { Graph, Node, Value } from "@gristmill/onnx";
import { isGraph } from "./captured.ts";
import { pruneScan } from "./scan-prune.ts";
import { mergeTapes } from "./scan-tape.ts";

/** Names that a node reads, those that the graphs inside it take from around them among them. */
function namesRead(node: Node): string[] {
  const own = node.inputs.flatMap((input) => (input === undefined ? [] : [input.name]));
  const inner = Object.values(node.attributes).flatMap((attribute) =>
    isGraph(attribute) ? [...namesReadIn(attribute.graph)] : [],
  );
  return [...own, ...inner];
}

/** Names that the nodes and outputs of a graph read. */
export const namesReadIn = (graph: Graph): ReadonlySet<string> =>
  new Set([...graph.nodes.flatMap(namesRead), ...graph.outputs.map((output) => output.name)]);

/**
 * The same graph without nodes, rows of Scans and initializers that no output depends on; the tape of a Scan's gradient
 * is made by the Scan itself. Inputs stay.
 */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((output) => output.name));
  const isNeeded = (value: Value | undefined): boolean => value !== undefined && needed.has(value.name);
  const kept: Node[] = [];
  for (const node of [...mergeTapes(graph.nodes)].reverse()) {
    if (!node.outputs.some(isNeeded)) continue;
    const isScan = node.operator === "Scan" && node.domain === "";
    const left = isScan ? pruneScan(node, isNeeded, prune, namesReadIn) : node;
    kept.push(left);
    for (const name of namesRead(left)) needed.add(name);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)));
  return { ...graph, nodes: kept.reverse(), initializers };
}
