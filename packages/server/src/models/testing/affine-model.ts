/** @file A real, tiny ONNX model for tests: y = x W + b. */
import { encodeModel, type Graph, GraphBuilder, model, tensor } from "@gristmill/onnx";

/** x float32 [batch, 2] → y float32 [batch, 3]; 9 parameters. `danglingInput`: a node reads a value that nobody makes. */
export function affineModel(
  options: { readonly metadata?: Readonly<Record<string, string>>; readonly danglingInput?: boolean } = {},
): Uint8Array {
  const builder = new GraphBuilder("affine");
  const x = builder.input("x", "float32", ["batch", 2]);
  const weight = builder.initializer("weight", tensor("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
  const bias = builder.initializer("bias", tensor("float32", [3], Float32Array.of(1, 1, 1)));
  builder.output(builder.op("Gemm", [x, weight, bias]), "y");
  const graph = builder.build();
  return encodeModel(model(options.danglingInput ? dangling(graph) : graph, { metadata: options.metadata ?? {} }));
}

const dangling = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((value, i) => (i === 0 && value !== undefined ? { ...value, name: "nowhere" } : value)),
  })),
});
