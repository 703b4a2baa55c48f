/** @file Graphs as text for people: one line a node. Golden files and error reports are made of it. */
import { elementCount, formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Attribute, Graph, Value } from "./graph.ts";

/** Longest constant that is written out. */
const longestShown = 8;

/**
 * A listing of a graph: inputs, initializers (small ones with their elements), one line a node with the types and
 * shapes of its outputs, sub-graphs indented under their node, and the outputs. The same graph gives the same text.
 */
export function formatGraph(graph: Graph): string {
  return lines(graph, "graph", "").join("\n");
}

function lines(graph: Graph, label: string, indent: string): string[] {
  const inner = `${indent}  `;
  const text = [`${indent}${label} ${graph.name}(${graph.inputs.map(typed).join(", ")})`];
  for (const [name, tensor] of graph.initializers) text.push(`${inner}${name}: ${formatTensor(tensor)}`);
  for (const node of graph.nodes) {
    const outputs = node.outputs.map((value) => (value === undefined ? "_" : typed(value))).join(", ");
    const inputs = node.inputs.map((value) => value?.name ?? "_").join(", ");
    const plain: string[] = [];
    const bodies: string[] = [];
    for (const [name, attribute] of Object.entries(node.attributes))
      if (typeof attribute === "object" && "graph" in attribute)
        for (const line of lines(attribute.graph, name, `${inner}  `)) bodies.push(line);
      else plain.push(`${name}=${formatAttribute(attribute)}`);
    const operator = node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
    const settings = plain.length === 0 ? "" : ` {${plain.join(", ")}}`;
    const called = node.name === node.outputs[0]?.name ? "" : ` # ${node.name}`;
    text.push(`${inner}${outputs} = ${operator}(${inputs})${settings}${called}`);
    for (const line of bodies) text.push(line);
  }
  text.push(`${inner}return ${graph.outputs.map((value) => value.name).join(", ")}`);
  return text;
}

const typed = (value: Value): string => `${value.name}: ${value.dtype}${formatShape(value.shape)}`;

function formatTensor(tensor: Tensor): string {
  const head = `${tensor.dtype}${formatShape(tensor.shape)}`;
  const count = elementCount(tensor.shape) ?? 0;
  if (count > longestShown) return head;
  return `${head} = ${tensor.dtype === "string" ? JSON.stringify(tensor.data) : `{${tensor.data.join(", ")}}`}`;
}

function formatAttribute(attribute: Attribute): string {
  if (typeof attribute === "number") return String(attribute);
  if (typeof attribute === "string") return JSON.stringify(attribute);
  if ("float" in attribute) return formatFloat(attribute.float);
  if ("floats" in attribute) return `[${attribute.floats.map(formatFloat).join(", ")}]`;
  if ("tensor" in attribute) return formatTensor(attribute.tensor);
  if ("graph" in attribute) return attribute.graph.name;
  return `[${attribute.map((item) => (typeof item === "string" ? JSON.stringify(item) : item)).join(", ")}]`;
}

/** Floats show their point, so that 1 and 1.0 stay apart; seven digits say all of a float32 that people read. */
function formatFloat(value: number): string {
  const text = String(Number(value.toPrecision(7)));
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
