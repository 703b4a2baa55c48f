/** @file A model as a layer of another. */

import { SpecError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import { defineNetworkLayer } from "../layers/network-layer.ts";
import { registerLayer } from "../layers/registry.ts";
import type { Json } from "../schema/field.ts";
import { isRecord, type Problems } from "../schema/problems.ts";
import { type ModelSpec, parseModel, parseSpec } from "./model-spec.ts";

/** What has a description: a model. */
interface Described {
  toSpec(): ModelSpec;
}

const isDescribed = (value: unknown): value is Described => isRecord(value) && typeof value["toSpec"] === "function";

/** The entry of `model`: a layer that is a whole model. */
export const subModelKind = defineNetworkLayer({
  type: "model",
  fields: {
    model: {
      expected: "a model's description, or a model",
      read(value: unknown, where: string, problems: Problems): Json | undefined {
        try {
          // a description is JSON, every setting written out
          return JSON.parse(JSON.stringify(parseSpec(isDescribed(value) ? value.toSpec() : value)));
        } catch (error) {
          if (!(error instanceof SpecError)) throw error;
          for (const one of error.problems) problems.add(`${where}.${one.where}`, one.message);
          return undefined;
        }
      },
    },
  },
  inputs: [1, Number.POSITIVE_INFINITY],
  network: ({ model }) => parseModel(model).network,
});
registerLayer(subModelKind);

/**
 * A model as a layer of another: its weights are the layer's, named "layer/inner/kernel".
 *
 * - Shapes: the inner model's inputs and outputs; sizes that it leaves open (null) follow from what enters.
 * - Weights: drawn anew; to keep trained ones, hand `model.getWeights()` to the outer model's `loadWeights` with `prefix`.
 */
export const subModel = (
  model: Described | ModelSpec,
  options: { readonly name?: string; readonly trainable?: boolean } = {},
): Layer => subModelKind.make({ model, ...options });
