/** @file How much arithmetic a graph does: multiplications and additions, counted from the shapes of its nodes. */
import type { Node, Value } from "@gristmill/onnx";
import { isGraph } from "./captured.ts";

const countOf = (value: Value | undefined): number =>
  (value?.shape ?? []).reduce<number>((product, size) => product * (typeof size === "number" ? size : 1), 1);
const sizeOf = (value: Value | undefined, axis: number): number => {
  const size = value?.shape.at(axis);
  return typeof size === "number" ? size : 1;
};

/** Two for each product that is added up. */
const products: Readonly<Record<string, (node: Node) => number>> = {
  MatMul: ({ inputs: [a], outputs: [y] }) => 2 * countOf(y) * sizeOf(a, -1),
  Gemm: ({ inputs: [a], outputs: [y], attributes }) => 2 * countOf(y) * sizeOf(a, attributes["transA"] === 1 ? 0 : 1),
  Conv: ({ inputs: [, w], outputs: [y] }) => (2 * countOf(y) * countOf(w)) / Math.max(1, sizeOf(w, 0)),
  ConvTranspose: ({ inputs: [x, w] }) => (2 * countOf(x) * countOf(w)) / Math.max(1, sizeOf(w, 0)),
};

/** Moves numbers and computes none. */
const moves = new Set(
  "Identity Reshape Transpose Squeeze Unsqueeze Flatten Concat Split Slice Gather GatherElements GatherND Expand Tile Pad Cast Shape Size Constant ConstantOfShape Range".split(
    " ",
  ),
);

/** Operations of one node; the bodies of Scan and Loop as often as they run. */
function ofNode(node: Node): number {
  const known = products[node.operator];
  if (known !== undefined) return known(node);
  if (moves.has(node.operator)) return 0;
  const body = node.attributes["body"];
  if (isGraph(body)) {
    const scanned = node.attributes["num_scan_inputs"];
    const sequence = typeof scanned === "number" ? node.inputs.at(-1) : undefined;
    return sizeOf(sequence, 0) * body.graph.nodes.reduce((sum, one) => sum + ofNode(one), 0);
  }
  // element by element, or a reduction: each number that comes in or goes out once
  return Math.max(...node.inputs.map(countOf), ...node.outputs.map(countOf));
}

/** Operations of the nodes by the first part of their names, which is the layer; sizes that are not known count as 1. */
export function operationsByLayer(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const node of nodes) {
    const [layer = ""] = node.name.split("/");
    sums.set(layer, (sums.get(layer) ?? 0) + ofNode(node));
  }
  return sums;
}
