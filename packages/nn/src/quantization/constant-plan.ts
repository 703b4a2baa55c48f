/** @file A plan with its weights inside: what it writes reads constants where it read what was fed, so that it can be quantized. */
import { tensor, type Value } from "@gristmill/onnx";
import type { PlannedCall } from "../compile/network-plan.ts";
import type { Plan, PlannedWeight } from "../compile/plan.ts";
import type { Layer, LayerScope } from "../layers/layer.ts";
import { layerOf } from "../layers/layer-of.ts";
import { asShown, relay } from "../layers/storage.ts";
import { arrayOf } from "../model/weights.ts";
import type { StateArrays } from "../training/state.ts";

/** The plan whose layers read these arrays. Memories of stateful layers are still fed. */
export function constantPlan(plan: Plan, arrays: StateArrays): Plan {
  const weights = new Map(plan.weights.map((one) => [one.id, one]));
  const made = new WeakMap<object, Map<string, Value>>();
  const constant = ({ math }: LayerScope, { id, storage }: PlannedWeight): Value => {
    const { builder } = math;
    const known = made.get(builder) ?? new Map<string, Value>();
    made.set(builder, known);
    const value =
      known.get(id) ??
      builder.initializer(id, tensor("float32", storage.stored, Float32Array.from(arrayOf(arrays, id))));
    known.set(id, value);
    return value;
  };
  const constantScope = (scope: LayerScope): LayerScope => ({
    ...scope,
    weight(name, storage) {
      const planned = weights.get(`${scope.path}/${name}`);
      if (planned === undefined || planned.parameter.role === "state") return scope.weight(name, storage);
      const asked = storage ?? asShown(planned.parameter.shape);
      return relay(scope.math, constant(scope, planned), planned.storage, asked);
    },
    inside: (part, trainable) => constantScope(scope.inside(part, trainable)),
  });
  const withConstants = (layer: Layer): Layer =>
    layerOf({ ...layer, build: (scope, inputs) => layer.build(constantScope(scope), inputs) });
  return {
    ...plan,
    calls: plan.calls.map((call): PlannedCall => ({ ...call, layer: withConstants(call.layer) })),
  };
}
