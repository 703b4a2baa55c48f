/**
 * @file Bodies (of Scan, Loop, If) that hand a value straight on get an Identity. ONNX allows such bodies; ONNX Runtime 1.30
 * refuses those that hand on a value of the graph around them, and answers wrongly for others without a word: memory that
 * nobody wrote for the state of a Scan, the last trip for a Loop's rows, also where two outputs are one value.
 */
import { isUnknownShape } from "../shape.ts";
import type { Attribute, Graph, Node, Value } from "./graph.ts";
import { Names } from "./names.ts";

/** The value of a name that a graph sees. A chain, since copies of what is around would be as many as there are bodies. */
type Find = (name: string) => Value | undefined;
type Fresh = (wish: string) => string;

/**
 * The same graph, each output of a body made by a node of that body for this output alone, or a constant. A graph that needs
 * nothing is given back itself; the given one is not changed.
 */
export function withOwnOutputs(graph: Graph): Graph {
  let names: Names | undefined;
  const fresh: Fresh = (wish) => {
    // most graphs need no name, and large ones have many
    names ??= takenNames(graph);
    return names.fresh(wish);
  };
  return withMendedBodies(graph, () => undefined, fresh);
}

function takenNames(graph: Graph): Names {
  const names = new Names();
  for (const name of new Set(namesOf(graph))) names.fresh(name);
  return names;
}

function* namesOf(graph: Graph): Iterable<string> {
  yield* graph.initializers.keys();
  for (const { name } of [...graph.inputs, ...graph.outputs]) yield name;
  for (const node of graph.nodes) {
    yield node.name;
    for (const value of [...node.inputs, ...node.outputs]) if (value !== undefined) yield value.name;
    for (const [, body] of bodiesOf(node)) yield* namesOf(body);
  }
}

const bodiesOf = ({ attributes }: Node): [string, Graph][] =>
  Object.entries(attributes).flatMap(([name, attribute]) =>
    typeof attribute === "object" && "graph" in attribute ? [[name, attribute.graph]] : [],
  );

function withMendedBodies(graph: Graph, around: Find, fresh: Fresh): Graph {
  if (!graph.nodes.some((node) => bodiesOf(node).length > 0)) return graph;
  const visible = visibleIn(graph, around);
  let isChanged = false;
  const nodes = graph.nodes.map((node) => {
    const bodies = bodiesOf(node).flatMap(([name, body]): [string, Attribute][] => {
      const mended = mend(withMendedBodies(body, visible, fresh), visible, fresh);
      return mended === body ? [] : [[name, { graph: mended }]];
    });
    if (bodies.length === 0) return node;
    isChanged = true;
    return { ...node, attributes: { ...node.attributes, ...Object.fromEntries(bodies) } };
  });
  return isChanged ? { ...graph, nodes } : graph;
}

function visibleIn({ inputs, initializers, nodes }: Graph, around: Find): Find {
  const values = new Map<string, Value>();
  for (const [name, { dtype, shape }] of initializers) values.set(name, { name, dtype, shape });
  for (const input of inputs) values.set(input.name, input);
  for (const { outputs } of nodes) for (const value of outputs) if (value !== undefined) values.set(value.name, value);
  return (name) => values.get(name) ?? around(name);
}

function mend(body: Graph, around: Find, fresh: Fresh): Graph {
  const own = new Set(body.initializers.keys());
  for (const { name } of body.inputs) own.delete(name);
  for (const { outputs } of body.nodes) for (const value of outputs) if (value !== undefined) own.add(value.name);
  const given = new Set<string>();
  if (body.outputs.every(({ name }) => own.has(name) && !given.has(name) && given.add(name))) return body;
  given.clear();
  const visible = visibleIn(body, around);
  const nodes = [...body.nodes];
  const outputs = body.outputs.map((output) => {
    const source = visible(output.name);
    const isOwn = own.has(output.name) && !given.has(output.name);
    given.add(output.name);
    // what nothing makes stays, for the checker to report
    if (isOwn || source === undefined) return output;
    const name = fresh(`${output.name}/out`);
    const { dtype, shape } = isUnknownShape(source.shape) ? output : source;
    const leaving = { name, dtype, shape };
    nodes.push({ name, operator: "Identity", domain: "", inputs: [source], outputs: [leaving], attributes: {} });
    return { ...output, name };
  });
  return { ...body, nodes, outputs };
}
