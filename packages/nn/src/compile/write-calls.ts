/** @file Writes a planned network's layers into a scope: a whole model, or the inside of a composed layer. */
import type { Features } from "../layers/features.ts";
import type { LayerScope, Parameter } from "../layers/layer.ts";
import { asShown } from "../layers/storage.ts";
import type { NetworkPlan, PlannedCall } from "./network-plan.ts";

/** A value that must be there. @throws Error naming what is missing */
export function given<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what}: nothing was given for it`);
  return value;
}

/** Writes every layer; gives the features of the network's outputs. */
export function writeCalls(plan: NetworkPlan, scope: LayerScope, inputs: readonly Features[]): Features[] {
  const known = new Map<number, Features>(inputs.map((features, i) => [i, features]));
  const uses = new Map<string, number>();
  for (const call of plan.calls) {
    const use = (uses.get(call.name) ?? 0) + 1;
    uses.set(call.name, use);
    const entering = call.inputs.map((value) => given(known.get(value), `${scope.path}/${call.name}`));
    const made = scope.math.builder.within(call.name, () => call.layer.build(scopeOfCall(scope, call, use), entering));
    call.outputs.forEach((value, output) => void known.set(value, given(made[output], call.name)));
  }
  return plan.outputs.map(({ value, name }) => given(known.get(value), name));
}

/** The scope of one use of a layer: it may read only what the layer has declared. */
function scopeOfCall(outer: LayerScope, { name, parameters, layer }: PlannedCall, use: number): LayerScope {
  const inner = outer.inside(name, layer.trainable);
  const declared = (parameter: string): Parameter => {
    const found = parameters.find((one) => one.name === parameter);
    if (found === undefined)
      throw new Error(`${inner.path}: the layer reads "${parameter}" and does not declare it among its parameters`);
    return found;
  };
  const wrap = (scope: LayerScope, prefix: string): LayerScope => ({
    ...scope,
    weight: (parameter, storage) =>
      scope.weight(parameter, storage ?? asShown(declared(`${prefix}${parameter}`).shape)),
    update(parameter, next) {
      const { role } = declared(`${prefix}${parameter}`);
      if (role !== "statistic" && role !== "state")
        throw new Error(`${inner.path}: the layer updates "${prefix}${parameter}", which is no statistic or state`);
      scope.update(parameter, next);
    },
    randomKey: (purpose = "") => scope.randomKey(use === 1 ? purpose : `${purpose}#${use}`),
    inside: (part, trainable) => wrap(scope.inside(part, trainable), `${prefix}${part}/`),
  });
  return wrap(inner, "");
}
