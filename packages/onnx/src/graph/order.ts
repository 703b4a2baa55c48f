/** @file Whether the nodes of a graph stand in an order in which each comes after what it reads. */
import type { Graph, Node } from "./graph.ts";
import type { Problem } from "./problem.ts";

/** Longest cycle that is written out. */
const longestShown = 10;

/** Names that nobody defines, nodes that read what comes later, and cycles. */
export function orderProblems(graph: Graph, isKnown: (name: string) => boolean, path: string): Problem[] {
  const makers = new Map<string, number>();
  for (const [i, node] of graph.nodes.entries())
    for (const value of node.outputs) if (value !== undefined && !isKnown(value.name)) makers.set(value.name, i);
  const reads = graph.nodes.map((node) => [...namesRead(node)]);
  const cycle = findCycle(reads.map((names) => names.flatMap((name) => makers.get(name) ?? [])));
  const inCycle = new Set(cycle);
  const problems: Problem[] = [];
  if (cycle !== undefined) {
    const shown =
      cycle.length > longestShown ? [...cycle.slice(0, longestShown - 1), undefined, ...cycle.slice(-1)] : cycle;
    const names = shown.map((i) => (i === undefined ? "..." : (graph.nodes[i]?.name ?? ""))).join(" -> ");
    problems.push({ where: `${path}${graph.nodes[cycle[0] ?? 0]?.name}`, message: `nodes in a cycle: ${names}` });
  }
  for (const [i, names] of reads.entries()) {
    const node = graph.nodes[i];
    if (node === undefined) continue;
    const direct = new Set(node.inputs.map((value) => value?.name));
    for (const name of names) {
      const maker = makers.get(name);
      if (maker === undefined) {
        // what a sub-graph reads is reported inside it
        if (direct.has(name) && !isKnown(name))
          problems.push({
            where: `${path}${node.name}`,
            message: `input "${name}" is made by no node, input or initializer`,
          });
      } else if (maker >= i && !inCycle.has(i)) {
        const message = `reads "${name}" before node "${graph.nodes[maker]?.name}" makes it; move it behind that node`;
        problems.push({ where: `${path}${node.name}`, message });
      }
    }
  }
  return problems;
}

/** Names that a node reads, itself and in its sub-graphs, from outside of them. */
function namesRead(node: Node): Set<string> {
  const names = new Set<string>();
  for (const value of node.inputs) if (value !== undefined) names.add(value.name);
  for (const attribute of Object.values(node.attributes))
    if (typeof attribute === "object" && "graph" in attribute)
      for (const name of namesCaptured(attribute.graph)) names.add(name);
  return names;
}

function namesCaptured(graph: Graph): Set<string> {
  const names = new Set(graph.outputs.map((value) => value.name));
  for (const node of graph.nodes) for (const name of namesRead(node)) names.add(name);
  for (const input of graph.inputs) names.delete(input.name);
  for (const name of graph.initializers.keys()) names.delete(name);
  for (const node of graph.nodes) for (const value of node.outputs) if (value !== undefined) names.delete(value.name);
  return names;
}

/** Positions of nodes that wait for each other in a ring, given for each node those it waits for. */
function findCycle(waitsFor: readonly (readonly number[])[]): number[] | undefined {
  const open = waitsFor.map((sources) => new Set(sources).size);
  const readers = waitsFor.map((): number[] => []);
  for (const [i, sources] of waitsFor.entries()) for (const source of new Set(sources)) readers[source]?.push(i);
  const ready = open.flatMap((count, i) => (count === 0 ? [i] : []));
  const done = new Set(ready);
  for (let at = ready.pop(); at !== undefined; at = ready.pop())
    for (const reader of readers[at] ?? []) {
      const left = (open[reader] ?? 0) - 1;
      open[reader] = left;
      if (left === 0) {
        done.add(reader);
        ready.push(reader);
      }
    }
  // every node that is left waits for another one that is left: walking back must come round
  const first = waitsFor.findIndex((_, i) => !done.has(i));
  if (first < 0) return undefined;
  const walk: number[] = [];
  const seen = new Map<number, number>();
  let at: number | undefined = first;
  while (at !== undefined && !seen.has(at)) {
    seen.set(at, walk.length);
    walk.push(at);
    at = waitsFor[at]?.find((source) => !done.has(source));
  }
  if (at === undefined) return undefined;
  return [...walk.slice(seen.get(at)), at].reverse();
}
