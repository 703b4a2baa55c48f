/** @file A model as one line of layers, which is what formats of certain architectures hold. */
import { NnError } from "../errors.ts";
import type { LayerSpec } from "../layers/layer.ts";
import type { Model } from "../model/model.ts";
import type { FunctionalSpec, GraphLayerSpec, ValueRef } from "../spec/functional-spec.ts";
import { isSequentialSpec } from "../spec/model-spec.ts";

/** A layer with the name that its weights have. A layer that is used twice comes twice. */
export interface Link {
  readonly name: string;
  readonly spec: LayerSpec;
}

/** Layers in the order in which a sample passes them. @throws NnError when a model has branches, several inputs or outputs. */
export function chainOf(model: Pick<Model, "toSpec" | "layers">): readonly Link[] {
  const spec = model.toSpec();
  if (!isSequentialSpec(spec)) return walk(spec);
  const names = model.layers().map(({ name }) => name);
  return spec.layers.map((layer, i) => ({ name: names[i] ?? layer.type, spec: layer }));
}

/** A value as a text: two references to one value are equal. */
const keyOf = (ref: ValueRef): string =>
  typeof ref === "string" ? `${ref} 0 0` : `${ref.layer} ${ref.use ?? 0} ${ref.output ?? 0}`;

function walk({ inputs, layers, outputs }: FunctionalSpec): Link[] {
  const [first, ...otherInputs] = inputs;
  const [last, ...otherOutputs] = outputs;
  if (first === undefined || last === undefined || otherInputs.length > 0 || otherOutputs.length > 0)
    throw new NnError(`export: expected one input and one output, received ${inputs.length} and ${outputs.length}`);
  const users = new Map<string, { layer: GraphLayerSpec; use: number; inputs: number }[]>();
  for (const layer of layers)
    for (const [use, refs] of usesOf(layer).entries())
      for (const ref of refs)
        users.set(keyOf(ref), [...(users.get(keyOf(ref)) ?? []), { layer, use, inputs: refs.length }]);
  const chain: Link[] = [];
  let at = keyOf(first.name);
  while (at !== keyOf(last)) {
    const [next, ...others] = users.get(at) ?? [];
    if (next === undefined || others.length > 0 || next.inputs !== 1)
      throw new NnError(
        `export: expected layers that follow one another; ${at.split(" ")[0]} leads to ${others.length + (next ? 1 : 0)} layers or into one with others`,
      );
    chain.push({ name: next.layer.name, spec: next.layer });
    at = keyOf({ layer: next.layer.name, use: next.use });
  }
  return chain;
}

/** What enters each use of a layer. */
export function usesOf({ inputs, uses }: GraphLayerSpec): readonly (readonly ValueRef[])[] {
  return (uses ?? [inputs ?? []]) as readonly (readonly ValueRef[])[]; // as functionalSpec writes them
}
