/** @file A model that was made elsewhere, as a layer: its nodes become nodes of ours, and its weights parameters that train. */
import { GraphBuilder, OnnxError, type Model as OnnxModel, ShapeError, type Value } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import { type DefinedLayer, defineManyLayer } from "../layers/define-layer.ts";
import { plain, toPlain } from "../layers/features.ts";
import type { CommonOptions, Layer } from "../layers/layer.ts";
import { layerOf } from "../layers/layer-of.ts";
import { registerLayer } from "../layers/registry.ts";
import { formatSample, type SampleShape } from "../layers/shape.ts";
import type { Field } from "../schema/field.ts";
import { words } from "../schema/field.ts";
import { shown } from "../schema/problems.ts";
import { everything, namesOf, unusedPatterns } from "./glob.ts";
import { inlineGraph } from "./inline.ts";
import { graphOfText, graphText, splitModel } from "./split.ts";

/** Settings of `onnxLayer`. */
export interface OnnxLayerOptions extends CommonOptions {
  /** Patterns of the names of weights that train, ["*"] when left out; ["*", "!features.*"] is all but those. */
  readonly trainableWeights?: readonly string[];
  /** Names of values within the graph that the layer gives in place of the graph's outputs: what a new head goes on from. */
  readonly outputs?: readonly string[];
}

const text = (): Field<string> => ({
  expected: "an ONNX model as base64",
  read(value, where, problems) {
    if (typeof value === "string") return value;
    problems.add(where, `expected an ONNX model as base64, received ${shown(value)}`);
    return undefined;
  },
});

interface Config {
  readonly graph: string;
  readonly data: readonly string[];
  readonly statistics: readonly string[];
  readonly trainableWeights: readonly string[];
  readonly outputs: readonly string[];
}

// a graph is read from its text once for each layer, not once for each question about its shapes
const graphs = new WeakMap<object, ReturnType<typeof graphOfText>>();
function graphOf(config: Config) {
  const known = graphs.get(config) ?? graphOfText(config.graph);
  graphs.set(config, known);
  return known;
}

/** Writes the graph on values [batch, ...]; `weight` gives those of its weights. */
function write(
  builder: GraphBuilder,
  config: Config,
  inputs: readonly Value[],
  weight: (name: string) => Value,
): Value[] {
  const graph = graphOf(config);
  const given = new Map<string, Value>();
  for (const input of graph.inputs) {
    const place = config.data.indexOf(input.name);
    const value = place < 0 ? weight(input.name) : inputs[place];
    if (value === undefined) throw new NnError(`${input.name}: nothing was given for it`);
    // tokens are int32 here and often int64 there
    given.set(
      input.name,
      value.dtype === input.dtype ? value : builder.op("Cast", [value], { to: dtypes[input.dtype] ?? 1 }),
    );
  }
  const made = inlineGraph(builder, graph, given, config.outputs.length > 0 ? config.outputs : undefined);
  return made.map((value) => (value.dtype === "float32" ? value : builder.op("Cast", [value], { to: 1 })));
}

/** ONNX's numbers of the element types that inputs of models have. */
const dtypes: Readonly<Record<string, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 };

/** The table's entry of `onnx`. */
export const onnxKind: DefinedLayer = defineManyLayer({
  type: "onnx",
  fields: {
    graph: text(),
    data: words("the names of inputs"),
    statistics: words("the names of weights"),
    trainableWeights: words("patterns of names", everything),
    outputs: words("the names of values"),
  },
  inputs: [1, Number.POSITIVE_INFINITY],
  check(config, where, problems) {
    try {
      graphOf(config);
    } catch (error) {
      if (!(error instanceof OnnxError)) throw error;
      problems.add(`${where}.graph`, error.message);
    }
  },
  outputShapes(config, shapes, where) {
    const graph = graphOf(config);
    if (shapes.length !== config.data.length)
      throw new ShapeError(
        where,
        `expected ${config.data.length} inputs (${config.data.join(", ")}), received ${shapes.length}`,
      );
    const builder = new GraphBuilder("shapes");
    const inputs = shapes.map((shape, i) => {
      const dtype = graph.inputs.find(({ name }) => name === config.data[i])?.dtype ?? "float32";
      return builder.input(`x${i}`, dtype, ["batch", ...shape.map((size, axis) => size ?? `x${i}.${axis}`)]);
    });
    const weights = new Map(graph.inputs.map((input) => [input.name, input]));
    const made = write(builder, config, inputs, (name) => {
      const { dtype = "float32", shape = [] } = weights.get(name) ?? {};
      return builder.input(`w/${name}`, dtype, shape);
    });
    return made.map((value) => sampleOf(value, shapes, where));
  },
  parameters(config) {
    const isTrained = namesOf(config.trainableWeights);
    const statistics = new Set(config.statistics);
    return graphOf(config).inputs.flatMap(({ name, shape }) =>
      config.data.includes(name)
        ? []
        : [
            {
              name,
              shape: shape.map(Number),
              initializer: { type: "zeros" },
              frozen: statistics.has(name) || !isTrained(name),
            },
          ],
    );
  },
  build(config, scope, inputs) {
    const values = inputs.map((features) => toPlain(scope.math, features).value);
    const made = write(scope.math.builder, config, values, (name) => scope.weight(name));
    const shapes = inputs.map(({ shape }) => shape);
    return made.map((value) => plain(value, sampleOf(value, shapes, scope.path)));
  },
});
registerLayer(onnxKind);

/** Sizes of a sample behind the batch. @throws ShapeError when the first axis is not the batch */
function sampleOf(value: Value, inputs: readonly SampleShape[], where: string): SampleShape {
  const [batch, ...sizes] = value.shape;
  if (batch === undefined)
    throw new ShapeError(
      where,
      `expected outputs of [batch, ...] for inputs of ${inputs.map(formatSample).join(", ")}, received a single number "${value.name}"`,
    );
  return sizes.map((size) => (typeof size === "number" ? size : null));
}

/**
 * A model that was made elsewhere, as a layer that trains.
 *
 * - Shapes: those of the ONNX model behind its first axis, which is the batch; images stay channels first, as it has them.
 * - Weights: its own, by the names that it has; float32 initializers that convolutions, products, normalizations,
 *   embeddings and recurrent operators read. `trainableWeights` says which the optimizer moves; means and variances of batch
 *   normalizations never move.
 * - Gradients: every operator between trained weights and outputs needs a rule; compile and fit name those without.
 * - Heads: `outputs` names values within the graph; the layers behind them are yours.
 * @throws NnError for operators that the table does not have, models without weights, and patterns that fit no weight
 */
export function onnxLayer(model: OnnxModel, options: OnnxLayerOptions = {}): Layer {
  const { trainableWeights = everything, outputs = [], ...common } = options;
  const { graph, data, values, statistics } = splitModel(model);
  const layer = onnxKind.make({
    graph: graphText(graph, model.opset),
    data,
    statistics,
    trainableWeights,
    outputs,
    ...common,
  });
  const unused = unusedPatterns(trainableWeights, [...values.keys()]);
  if (unused.length > 0)
    throw new NnError(
      `trainableWeights: expected patterns that fit a weight, received ${unused.join(", ")}; weights: ${[...values.keys()].slice(0, 20).join(", ")}`,
    );
  return layerOf({
    ...layer,
    firstValue(parameter) {
      const data = values.get(parameter)?.data;
      return data instanceof Float32Array ? data : undefined;
    },
  });
}

/** Inputs of a model that was made elsewhere: what `input` needs for each. Sizes that the file leaves open are null. */
export const onnxInputs = (
  model: OnnxModel,
): readonly { readonly name: string; readonly shape: SampleShape; readonly dtype: "float32" | "int32" }[] => {
  const { graph, data } = splitModel(model);
  return data.map((name) => {
    const value = graph.inputs.find((one) => one.name === name);
    const [, ...sizes] = value?.shape ?? [];
    return {
      name,
      shape: sizes.map((size) => (typeof size === "number" ? size : null)),
      dtype: value?.dtype === "float32" ? "float32" : "int32",
    };
  });
};
