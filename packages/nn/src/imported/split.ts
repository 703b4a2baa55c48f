/** @file A model that was made elsewhere, taken apart: its graph without weights, and the weights. */
import { decodeModel, encodeModel, type Graph, liftConstants, type Model, type Tensor } from "@gristmill/onnx";
import { NnError } from "../errors.ts";

/** A model whose weights are inputs of its graph. */
export interface SplitModel {
  /** The graph, its weights as inputs behind those for data. */
  readonly graph: Graph;
  /** Names of the inputs for data. */
  readonly data: readonly string[];
  /** Names of the weights, in the order in which nodes read them. */
  readonly weights: readonly string[];
}

/**
 * Statistics of normalizations, and constants of arithmetic: what training must not move unless it is asked to.
 * By operator, the places of inputs that are weights.
 */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  ConvInteger: [],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  Add: [0, 1],
  Mul: [0, 1],
  Gather: [0],
  BatchNormalization: [1, 2, 3, 4],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  RMSNormalization: [1],
  PRelu: [1],
  LSTM: [1, 2, 3],
  GRU: [1, 2, 3],
  RNN: [1, 2, 3],
  Einsum: [0, 1, 2],
};

/** Inputs of a normalization that are measured and not learned. */
const statistics: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4] };

const isWeight = (tensor: Tensor | undefined): boolean => tensor?.dtype === "float32" && tensor.shape.length > 0;

/** Weights by name: true for those that training moves, false for statistics. */
function findWeights({ nodes, initializers }: Graph): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const { operator, inputs } of nodes)
    for (const place of weightInputs[operator] ?? []) {
      const name = inputs[place]?.name;
      if (name === undefined || !isWeight(initializers.get(name))) continue;
      const isLearned = !(statistics[operator] ?? []).includes(place);
      found.set(name, (found.get(name) ?? true) && isLearned);
    }
  return found;
}

/** A model's parts. @throws NnError when it has no weights that training could move */
export function splitModel(model: Model): SplitModel & {
  readonly values: ReadonlyMap<string, Tensor>;
  /** Names of statistics among the weights. */
  readonly statistics: readonly string[];
} {
  // some exporters keep weights as nodes
  const { graph } = liftConstants(model);
  const found = findWeights(graph);
  const weights = [...found.keys()];
  if (weights.length === 0)
    throw new NnError(`${graph.name}: expected a model with float32 weights, received one without any`);
  const values = new Map(
    weights.flatMap((name) => {
      const value = graph.initializers.get(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const data = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  return {
    graph: {
      ...graph,
      inputs: [...data, ...[...values].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))],
      initializers: new Map([...graph.initializers].filter(([name]) => !values.has(name))),
    },
    data: data.map(({ name }) => name),
    weights,
    values,
    statistics: [...found].flatMap(([name, isLearned]) => (isLearned ? [] : [name])),
  };
}

/** A graph as text, for descriptions in JSON. */
export const graphText = (graph: Graph, opset: number): string =>
  Buffer.from(encodeModel({ graph, opset, producer: "", metadata: {} })).toString("base64");

/** The graph that a text holds. @throws OnnxFormatError when it is none */
export const graphOfText = (text: string): Graph => decodeModel(Buffer.from(text, "base64")).graph;
