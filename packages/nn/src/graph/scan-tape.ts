/**
 * @file The tape of a recurrence: inner values of its body, stacked over the steps for the way back. A gradient is written
 * behind the Scan that it belongs to and cannot change it, so it writes the Scan again with more rows (`taped`); when the
 * graph is finished, both become one (`mergeTapes`), and nothing is computed twice.
 */
import type { Graph, Node, Value } from "@gristmill/onnx";
import { isGraph } from "./captured.ts";
import { inOrder, type ScanForm, type Stack, scanAttributes } from "./scan-form.ts";

/** Inner values, by name, that a Scan already gives as rows, directly or through an Identity. */
export function stacksOf({ body, states, rows }: ScanForm): Map<string, Stack> {
  const sources = new Map(
    body.nodes.flatMap((node) =>
      node.operator === "Identity" ? [[node.outputs[0]?.name, node.inputs[0]?.name] as const] : [],
    ),
  );
  const stacks = new Map<string, Stack>();
  rows.forEach(({ value, walk }, i) => {
    const name = body.outputs[states.length + i]?.name;
    if (value === undefined || name === undefined) return;
    for (const inner of [name, sources.get(name)]) if (inner !== undefined) stacks.set(inner, { value, walk });
  });
  return stacks;
}

/** The attributes of the same Scan with these inner values as further rows, in the order of the steps. */
export function taped(form: ScanForm, inner: readonly Value[], name: string): ReturnType<typeof scanAttributes> {
  const { body, sequences, rows } = form;
  const made = new Set(body.nodes.flatMap((node) => node.outputs.map((output) => output?.name)));
  const given = new Set(body.outputs.map((output) => output.name));
  const copies: Node[] = [];
  const kept = inner.map((value, i): Value => {
    if (made.has(value.name) && !given.has(value.name)) return value;
    // what enters the body, or leaves it already, gets another name
    const copy = { ...value, name: `${name}/kept${i}` };
    copies.push({
      name: copy.name,
      operator: "Identity",
      domain: "",
      inputs: [value],
      outputs: [copy],
      attributes: {},
    });
    return copy;
  });
  const graph: Graph = { ...body, nodes: [...body.nodes, ...copies], outputs: [...body.outputs, ...kept] };
  return scanAttributes(
    graph,
    sequences.map(({ walk }) => walk),
    [...rows.map(({ walk }) => walk), ...kept.map(() => inOrder)],
  );
}

/** Puts each taped Scan in the place of the Scan that it repeats. */
export function mergeTapes(nodes: readonly Node[]): readonly Node[] {
  const scans = nodes.filter((node) => node.operator === "Scan" && node.domain === "");
  if (scans.length < 2) return nodes;
  const replaced = new Map<Node, Node | undefined>();
  const merged = new Set<Node>();
  for (const [i, first] of scans.entries()) {
    const repeat = scans.slice(i + 1).find((later) => !merged.has(later) && repeats(later, first));
    if (repeat === undefined || merged.has(first)) continue;
    merged.add(repeat);
    const outputs = [...first.outputs, ...repeat.outputs.slice(first.outputs.length)];
    replaced.set(first, { ...first, outputs, attributes: repeat.attributes });
    replaced.set(repeat, undefined);
  }
  return nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : node));
}

/** True when the later Scan computes all that the first does, by the very same nodes; its own first outputs are unread. */
function repeats(later: Node, first: Node): boolean {
  const [more, less] = [bodyOf(later), bodyOf(first)];
  return (
    more !== undefined &&
    less !== undefined &&
    more.inputs === less.inputs &&
    less.nodes.every((node, i) => more.nodes[i] === node) &&
    less.outputs.every((output, i) => more.outputs[i] === output) &&
    later.inputs.length === first.inputs.length &&
    later.inputs.every((input, i) => input === first.inputs[i])
  );
}

const bodyOf = (node: Node): Graph | undefined => {
  const body = node.attributes["body"];
  return isGraph(body) ? body.graph : undefined;
};
