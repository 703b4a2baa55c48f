/** @file A graph's inputs and outputs as the wire tells them. */
import type { TensorSignature } from "@gristmill/contract";
import type { Graph, Value } from "@gristmill/onnx";

/** Named sizes become -1. */
const toSignature = ({ name, dtype, shape }: Value): TensorSignature => ({
  name,
  dtype,
  shape: shape.map((dim) => (typeof dim === "number" ? dim : -1)),
});

/** What must be fed and what comes out. Inputs that the file itself fills (old ONNX lists weights as inputs) are left out. */
export const signatureOf = (graph: Graph): { inputs: TensorSignature[]; outputs: TensorSignature[] } => ({
  inputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(toSignature),
  outputs: graph.outputs.map(toSignature),
});
