/** @file Adapters of a model apart from it, and put into its weights for good. */
import { tensor } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import type { LayerSpec } from "../layers/layer.ts";
import { Model } from "../model/model.ts";
import type { NamedWeight } from "../model/weights.ts";
import { isRecord } from "../schema/problems.ts";
import { isSequentialSpec } from "../spec/model-spec.ts";
import { isAdapter } from "./lora.ts";

/** The adapters of a model alone: small enough to be kept, one set for each task. `model.loadWeights` takes them back. */
export const adapterWeights = (model: Model): readonly NamedWeight[] =>
  model.getWeights().filter(({ name }) => isAdapter(name));

/**
 * The same model without adapters: their products are in the weights, so that it answers the same and is as fast as before.
 * @throws NnError when it has none
 */
export function mergeAdapters(model: Model): Model {
  const weights = new Map(model.getWeights().map(({ name, value }) => [name, value]));
  const scales = scalesOf(model);
  if (scales.size === 0) throw new NnError("mergeAdapters: expected a model with lora layers, received one without");
  const merged: NamedWeight[] = [];
  for (const [name, value] of weights) {
    if (isAdapter(name)) continue;
    const [a, b] = [weights.get(`${name}.lora_a`), weights.get(`${name}.lora_b`)];
    const scale = scales.get(name.split("/")[0] ?? "");
    if (a === undefined || b === undefined || scale === undefined) merged.push({ name, value });
    else
      merged.push({
        name,
        value: tensor("float32", value.shape, added(value.data, a.data, b.data, b.shape[0] ?? 1, scale)),
      });
  }
  const plain = Model.fromSpec(unwrapped(model), { seed: model.seed });
  plain.setWeights(merged);
  return plain;
}

/** `weight + scale * first · second`, row-major. */
function added(
  weight: Float32Array,
  first: Float32Array,
  second: Float32Array,
  rank: number,
  scale: number,
): Float32Array<ArrayBuffer> {
  const columns = second.length / rank;
  const sum = Float32Array.from(weight);
  for (let row = 0; row < first.length / rank; row++)
    for (let inner = 0; inner < rank; inner++) {
      const factor = scale * (first[row * rank + inner] ?? 0);
      for (let column = 0; column < columns; column++)
        sum[row * columns + column] =
          (sum[row * columns + column] ?? 0) + factor * (second[inner * columns + column] ?? 0);
    }
  return sum;
}

/** Layers of a description with the names that the model gave them. */
function namedLayers(model: Model): readonly LayerSpec[] {
  const names = model.layers().map(({ name }) => name);
  return model.toSpec().layers.map((layer, i) => ({ ...layer, name: String(layer["name"] ?? names[i] ?? layer.type) }));
}

const scalesOf = (model: Model): ReadonlyMap<string, number> =>
  new Map(
    namedLayers(model).flatMap((layer) =>
      layer.type === "lora" ? [[String(layer["name"]), Number(layer["alpha"]) / Number(layer["rank"])] as const] : [],
    ),
  );

/** The description with the layers themselves in place of those with adapters. */
function unwrapped(model: Model): unknown {
  const spec = model.toSpec();
  const layers = namedLayers(model).map((layer) => {
    const { layer: inner, name, inputs, uses, type } = layer;
    if (type !== "lora" || !isRecord(inner)) return layer;
    const connections = { ...(inputs === undefined ? {} : { inputs }), ...(uses === undefined ? {} : { uses }) };
    return { ...inner, name, ...connections };
  });
  return isSequentialSpec(spec) ? { inputShape: spec.inputShape, layers } : { ...spec, layers };
}
