/** @file Which axis of a weight is that of its channels: the operator that reads it tells, as it tells quantization later. */
import { GraphBuilder, type Node, settingsOf, type Value } from "@gristmill/onnx";
import { isGraph } from "../graph/captured.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { Features } from "../layers/features.ts";
import type { Layer, LayerScope, Parameter } from "../layers/layer.ts";
import { asShown } from "../layers/storage.ts";

/** Operators whose weights are quantized: which input that is, and the axis of its channels. */
const readers: Readonly<Record<string, { readonly input: number; axis(node: Node): number }>> = {
  Conv: { input: 1, axis: () => 0 },
  Gather: { input: 0, axis: () => 0 },
  Gemm: { input: 1, axis: (node) => (settingsOf("Gemm", node).transB === 0 ? 1 : 0) },
  MatMul: { input: 1, axis: () => 1 },
};

/** The axis of a weight's channels, as kept, by its name in the layer; weights that are read otherwise are left out. */
export function channelAxes(
  layer: Layer,
  scope: LayerScope,
  inputs: readonly Features[],
  parameters: readonly Parameter[],
): ReadonlyMap<string, number> {
  const builder = new GraphBuilder("readers");
  const weights = new Map<string, Value>();
  layer.build(
    scratch(scope, new GraphMath(builder), weights, parameters),
    inputs.map((features, i) => copied(builder, features, i)),
  );
  const names = new Map([...weights].map(([name, value]) => [value.name, name]));
  const axes = new Map<string, number>();
  for (const node of allNodes(builder.nodes)) {
    const reader = node.domain === "" ? readers[node.operator] : undefined;
    const read = reader && node.inputs[reader.input];
    const name = read && names.get(read.name);
    if (reader === undefined || read === undefined || name === undefined || axes.has(name)) continue;
    // a stack of matrices has no single axis of channels
    if (node.operator === "Conv" || read.shape.length === 2) axes.set(name, reader.axis(node));
  }
  return axes;
}

/** Features of the same sizes in another graph. */
function copied(builder: GraphBuilder, { value, mask, ...rest }: Features, i: number): Features {
  const again = builder.input(`x${i}`, value.dtype, value.shape);
  return { ...rest, value: again, mask: mask && builder.input(`mask${i}`, mask.dtype, mask.shape) };
}

/** A scope that writes into another graph, and notes the weights that are asked for. */
function scratch(
  scope: LayerScope,
  math: GraphMath,
  weights: Map<string, Value>,
  parameters: readonly Parameter[],
  prefix = "",
): LayerScope {
  return {
    ...scope,
    math,
    weight(part, storage) {
      const name = `${prefix}${part}`;
      const shape = storage?.stored ?? asShown(parameters.find((one) => one.name === name)?.shape ?? []).stored;
      const known = weights.get(name) ?? math.builder.input(`weight/${name}`, "float32", shape);
      weights.set(name, known);
      return math.reshape(known, shape);
    },
    update: () => {},
    addLoss: () => {},
    randomKey: () => math.builder.scalar(1, "uint32"),
    inside: (part, trainable) => scratch(scope.inside(part, trainable), math, weights, parameters, `${prefix}${part}/`),
  };
}

/** Nodes, and those of the graphs inside them. */
const allNodes = (nodes: readonly Node[]): Node[] =>
  nodes.flatMap((node) => [
    node,
    ...Object.values(node.attributes).flatMap((attribute) =>
      isGraph(attribute) ? allNodes(attribute.graph.nodes) : [],
    ),
  ]);
