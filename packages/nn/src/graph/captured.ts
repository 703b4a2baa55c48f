/** @file What the graphs inside a node (bodies of Scan, Loop, If) take from the graph around them. */
import type { Attribute, Graph, Node, Value } from "@gristmill/onnx";

/** True for an attribute that is a graph. */
export const isGraph = (attribute: Attribute | undefined): attribute is { readonly graph: Graph } =>
  typeof attribute === "object" && "graph" in attribute;

/** Values from outside that the graphs of a node read, each once, in the order in which they are met. */
export function capturedValues(node: Node): Value[] {
  const found = new Map<string, Value>();
  for (const attribute of Object.values(node.attributes))
    if (isGraph(attribute)) for (const value of capturedByGraph(attribute.graph)) found.set(value.name, value);
  return [...found.values()];
}

/** Values that the nodes of a graph read and neither its inputs, its initializers nor its nodes make. */
function capturedByGraph({ inputs, initializers, nodes }: Graph): Value[] {
  const own = new Set<string>([...inputs.map(({ name }) => name), ...initializers.keys()]);
  for (const node of nodes) for (const output of node.outputs) if (output !== undefined) own.add(output.name);
  const isOuter = (value: Value | undefined): value is Value => value !== undefined && !own.has(value.name);
  return nodes.flatMap((node) => [...node.inputs, ...capturedValues(node)].filter(isOuter));
}
