/** @file Nodes on other values: the same body, read in another graph. */
import {
  type Attribute,
  type AttributesOf,
  type Graph,
  type Node,
  type OperatorName,
  settingsOf,
  type Value,
} from "@gristmill/onnx";
import { isGraph } from "./captured.ts";
import type { GraphMath } from "./graph-math.ts";

/** The node on other values, in the graphs inside it too. */
export function mapNode(node: Node, of: (value: Value) => Value): Node {
  const each = (list: readonly (Value | undefined)[]) => list.map((value) => value && of(value));
  const attributes = Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] => [
    key,
    isGraph(attribute) ? { graph: mapGraph(attribute.graph, of) } : attribute,
  ]);
  return {
    ...node,
    inputs: each(node.inputs),
    outputs: each(node.outputs),
    attributes: Object.fromEntries(attributes),
  };
}

const mapGraph = (graph: Graph, of: (value: Value) => Value): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => mapNode(node, of)),
  outputs: graph.outputs.map(of),
});

/** Writes a node of the table again, on other inputs. */
export function writeAgain(math: GraphMath, node: Node, inputs: readonly (Value | undefined)[]): Value[] {
  const operator = node.operator as OperatorName;
  const settings: Readonly<Record<string, unknown>> = settingsOf(operator, node);
  const said = Object.fromEntries(Object.keys(node.attributes).map((name) => [name, settings[name]]));
  return math.builder.ops(operator, inputs, said as AttributesOf<OperatorName>, node.outputs.length);
}
