/** @file A model's plan: every layer with its name and shapes, every weight with its place. Pure: nothing runs, nothing is allocated. */
import { GraphBuilder, OnnxError } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { countOf } from "../initializers/initializer.ts";
import type { Layer, Parameter } from "../layers/layer.ts";
import type { Storage } from "../layers/storage.ts";
import { Problems } from "../schema/problems.ts";
import { type PlannedLayer, writeForward } from "./forward.ts";

/** A weight in its place. */
export interface PlannedWeight {
  /** "conv2d_1/kernel" */
  readonly id: string;
  readonly parameter: Parameter;
  readonly storage: Storage;
}

/** A model whose shapes fit. */
export interface Plan {
  readonly layers: readonly PlannedLayer[];
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** In Keras' order: layer by layer, kernel before bias. */
  readonly weights: readonly PlannedWeight[];
}

/** Most bytes that one value of a sample, or one weight, may have: what an ONNX file can hold. */
const mostBytes = 2 ** 31 - 1;

/** Where a layer's problems are: `layers[2] (conv2d_1)`. */
const placeOf = (index: number, name: string): string => `layers[${index}] (${name})`;

/**
 * Plans a model.
 * @throws SpecError when there is no layer or no input shape, a name comes twice, or shapes do not fit.
 */
export function planModel(layers: readonly Layer[], inputShape: readonly number[] | undefined): Plan {
  const problems = new Problems();
  const entering = inputShape ?? layers[0]?.inputShape;
  if (layers.length === 0) problems.add("layers", "expected at least one layer, received none");
  else if (entering === undefined)
    problems.add(
      "inputShape",
      "expected sizes of one sample, such as [28, 28, 1], on the model or its first layer; received nothing",
    );
  const names = nameLayers(layers, problems);
  problems.throwIfAny();
  const planned = planLayers(layers, names, entering ?? [], problems);
  problems.throwIfAny();
  const inShape = entering ?? [];
  return {
    layers: planned,
    inputShape: inShape,
    outputShape: planned.at(-1)?.output ?? inShape,
    weights: planWeights(planned, inShape),
  };
}

/** Given names, and for the others the type with a number: "dense_1". */
function nameLayers(layers: readonly Layer[], problems: Problems): string[] {
  const given = new Set<string>();
  layers.forEach(({ name }, i) => {
    if (name === undefined) return;
    if (given.has(name)) problems.add(`layers[${i}].name`, `expected a name of its own, received "${name}" again`);
    given.add(name);
  });
  const counts = new Map<string, number>();
  return layers.map(({ type, name }) => {
    if (name !== undefined) return name;
    for (;;) {
      const count = (counts.get(type) ?? 0) + 1;
      counts.set(type, count);
      if (!given.has(`${type}_${count}`)) return `${type}_${count}`;
    }
  });
}

function planLayers(
  layers: readonly Layer[],
  names: readonly string[],
  entering: readonly number[],
  problems: Problems,
): PlannedLayer[] {
  const planned: PlannedLayer[] = [];
  let shape = entering;
  for (const [i, layer] of layers.entries()) {
    const name = names[i] ?? layer.type;
    const place = placeOf(i, name);
    if (layer.inputShape !== undefined && layer.inputShape.join() !== shape.join()) {
      problems.add(
        place,
        `expected inputShape [${shape.join(", ")}], as what comes before makes, received [${layer.inputShape.join(", ")}]`,
      );
      break;
    }
    try {
      const output = layer.outputShape(shape, place);
      const parameters = layer.parameters(shape);
      for (const { shape: sizes, what } of [
        { shape: output, what: "its output" },
        ...parameters.map((parameter) => ({ shape: parameter.shape, what: `weight ${parameter.name}` })),
      ])
        if (countOf(sizes) * 4 > mostBytes)
          problems.add(place, `expected ${what} to have at most 2 GiB, received [${sizes.join(", ")}]`);
      planned.push({ layer, name, input: shape, output, parameters });
      shape = output;
    } catch (error) {
      if (!(error instanceof OnnxError)) throw error;
      // the shapes after this layer are unknown, so its problem is the last
      problems.add(error.where, error.message.slice(error.where.length + 2));
      break;
    }
    if (problems.count > 0) break;
  }
  return planned;
}

/** Writes the forward graph once, only to hear how each layer wants its weights kept. */
function planWeights(layers: readonly PlannedLayer[], inputShape: readonly number[]): PlannedWeight[] {
  const builder = new GraphBuilder("plan");
  const storages = new Map<string, Storage>();
  writeForward(
    { layers, inputShape },
    new GraphMath(builder),
    builder.input("input", "float32", ["batch", ...inputShape]),
    {
      training: false,
      weight: (id, storage) => {
        storages.set(id, storage);
        return builder.input(id, "float32", storage.stored);
      },
      randomKey: (layer) => builder.input(`random/${layer}`, "uint32", []),
    },
  );
  return layers.flatMap(({ name, parameters }) =>
    parameters.map((parameter) => {
      const id = `${name}/${parameter.name}`;
      const storage = storages.get(id);
      if (storage === undefined) throw new Error(`${id}: the layer declares this weight and never reads it`);
      return { id, parameter, storage };
    }),
  );
}
