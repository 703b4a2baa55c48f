import type { Graph, Node, Value } from "@gristmill/onnx";
import { isGraph } from "./captured.ts";
import type { GraphMath } from "./graph-math.ts";
import { mapNode, writeAgain } from "./scan-map.ts";

/** Each step draws anew. */
const drawing = /^(Random|Bernoulli|Multinomial|Dropout)/;

/**
 * Moves what every step would compute alike out of a body, to before its Scan: nodes that read only values from around
 * the body, such as a weight that is turned or scaled. The runtime does not do it.
 */
export function hoist(math: GraphMath, body: Graph): Graph {
  const inner = new Set([...body.inputs, ...body.nodes.flatMap(({ outputs }) => outputs)].map((value) => value?.name));
  const leaving = new Set(body.outputs.map(({ name }) => name));
  const moved = new Map<string, Value>();
  const outer = (value: Value): Value | undefined => {
    const constant = body.initializers.get(value.name);
    if (constant !== undefined) return math.builder.constant(constant);
    return moved.get(value.name) ?? (inner.has(value.name) ? undefined : value);
  };
  const stays = (node: Node): boolean =>
    node.domain !== "" ||
    drawing.test(node.operator) ||
    Object.values(node.attributes).some((attribute) => isGraph(attribute)) ||
    node.outputs.some((output) => output === undefined || leaving.has(output.name)) ||
    // what reads constants alone the runtime folds by itself
    node.inputs.every((input) => input === undefined || body.initializers.has(input.name)) ||
    node.inputs.some((input) => input !== undefined && !isOuter(input));
  const isOuter = ({ name }: Value): boolean => body.initializers.has(name) || moved.has(name) || !inner.has(name);

  const nodes = body.nodes.filter((node) => {
    if (stays(node)) return true;
    const made = writeAgain(
      math,
      node,
      node.inputs.map((input) => input && outer(input)),
    );
    node.outputs.forEach((output, i) => {
      const value = made[i];
      if (output !== undefined && value !== undefined) moved.set(output.name, value);
    });
    return false;
  });
  if (moved.size === 0) return body;
  return { ...body, nodes: nodes.map((node) => mapNode(node, (value) => moved.get(value.name) ?? value)) };
}
