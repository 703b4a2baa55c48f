/** @file Writes the nodes of a graph that was made elsewhere into one of ours, on values of ours. */
import {
  type AttributesOf,
  type Graph,
  GraphBuilder,
  type Node,
  type OperatorName,
  operators,
  settingsOf,
  type Value,
} from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import { isGraph } from "../graph/captured.ts";

/** Values of ours by the names that the graph has for them. */
type Known = Map<string, Value>;

const isOperator = (node: Node): boolean => node.domain === "" && Object.hasOwn(operators, node.operator);

/**
 * Writes every node; sizes follow from the values that are given.
 * @returns the graph's outputs, or the values of other `names` within it.
 * @throws NnError listing operators that are not known, and values that are not there.
 */
export function inlineGraph(
  builder: GraphBuilder,
  graph: Graph,
  given: ReadonlyMap<string, Value>,
  names: readonly string[] = graph.outputs.map(({ name }) => name),
): Value[] {
  const unknown = [
    ...new Set(
      graph.nodes
        .filter((node) => !isOperator(node))
        .map(({ domain, operator }) => (domain === "" ? operator : `${domain}.${operator}`)),
    ),
  ];
  if (unknown.length > 0)
    throw new NnError(
      `${graph.name}: expected operators of the table, received ${unknown.join(", ")}; export the model with standard ONNX operators`,
    );
  const known: Known = new Map(given);
  writeNodes(builder, graph, known);
  return names.map((name) => {
    const value = known.get(name);
    if (value === undefined) throw new NnError(`${graph.name}: no value is named "${name}"`);
    return value;
  });
}

function writeNodes(builder: GraphBuilder, graph: Graph, known: Known): void {
  for (const [name, tensor] of graph.initializers) if (!known.has(name)) known.set(name, builder.constant(tensor));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => {
      if (input === undefined) return undefined;
      const value = known.get(input.name);
      if (value === undefined) throw new NnError(`${node.name}: reads "${input.name}", which nothing made before it`);
      return value;
    });
    const outputs = builder.ops(
      node.operator as OperatorName,
      inputs,
      attributesOf(builder, node, known),
      node.outputs.length,
    );
    node.outputs.forEach((output, i) => {
      const made = outputs[i];
      if (output !== undefined && made !== undefined) known.set(output.name, made);
    });
  }
}

/** Those that the node says, the graphs inside it written anew. */
function attributesOf(builder: GraphBuilder, node: Node, known: Known): AttributesOf<OperatorName> {
  const settings: Readonly<Record<string, unknown>> = settingsOf(node.operator as OperatorName, node);
  const said = Object.entries(node.attributes).map(([name, attribute]): [string, unknown] => [
    name,
    isGraph(attribute) ? bodyOf(builder, `${node.name}.${name}`, attribute.graph, known) : settings[name],
  ]);
  return Object.fromEntries(said) as AttributesOf<OperatorName>;
}

function bodyOf(outer: GraphBuilder, place: string, graph: Graph, known: Known): Graph {
  const body = new GraphBuilder(graph.name, { outer });
  const inside: Known = new Map(known);
  // names are unique in a graph and all around it, and this body may be written twice
  const prefix = `${place}@${outer.nodes.length}`;
  for (const { name, dtype, shape } of graph.inputs) inside.set(name, body.input(`${prefix}/${name}`, dtype, shape));
  writeNodes(body, graph, inside);
  for (const { name } of graph.outputs) {
    const value = inside.get(name);
    if (value === undefined) throw new NnError(`${graph.name}: no value is named "${name}"`);
    body.output(value);
  }
  return body.build();
}
