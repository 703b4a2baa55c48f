/** @file A model whose layers follow one another. */
import type { Layer } from "../layers/layer.ts";
import type { SampleShape } from "../layers/shape.ts";
import { assertSequential, parseModel, planLayers } from "../spec/model-spec.ts";
import { decodeCheckpoint } from "./checkpoint.ts";
import { Model, type ModelOptions } from "./model.ts";

/** Settings of a model beside its layers. */
export interface SequentialOptions extends ModelOptions {
  /** Sizes of one sample; else the first layer says them. */
  readonly inputShape?: SampleShape;
}

/** Layers that follow one another, trained and run by ONNX Runtime: a `Model` of one input and one output. */
export class Sequential extends Model {
  /** @throws SpecError when shapes do not fit. */
  constructor(layers: readonly Layer[], options: SequentialOptions = {}) {
    super({ ...planLayers(layers, options.inputShape), layers: [...layers] }, options);
  }

  /** A model from its description. @throws SpecError listing every problem, NnError for a graph of layers. */
  static override fromSpec(spec: unknown, options: ModelOptions = {}): Sequential {
    const model = parseModel(spec);
    const [input] = model.network.inputs;
    return new Sequential(assertSequential(model), { ...options, ...(input && { inputShape: input.shape }) });
  }

  /** A model that was saved, as it was: weights, optimizer, seed and progress. @throws CheckpointError, NnError for a graph of layers */
  static override load(bytes: Uint8Array): Sequential {
    const saved = decodeCheckpoint(bytes);
    const [input] = saved.model.network.inputs;
    const options = { seed: saved.seed, ...(input && { inputShape: input.shape }) };
    return new Sequential(assertSequential(saved.model), options).restored(saved);
  }
}
