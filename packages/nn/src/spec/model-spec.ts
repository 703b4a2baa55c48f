/** @file A model as JSON: layers that follow one another, or a graph of them; and back. */
import { type Plan, planModel } from "../compile/plan.ts";
import { NnError } from "../errors.ts";
import type { Layer, LayerSpec } from "../layers/layer.ts";
import { layerSpec, parseLayer } from "../layers/registry.ts";
import { formatSample, type SampleShape } from "../layers/shape.ts";
import "../layers/table.ts";
import { chainNetwork, type Network } from "../network/network.ts";
import type { InputDtype } from "../network/symbolic.ts";
import { sampleShape } from "../schema/field.ts";
import { isRecord, Problems, shown } from "../schema/problems.ts";
import { suggestion } from "../schema/suggest.ts";
import { type FunctionalSpec, functionalSpec, parseFunctional } from "./functional-spec.ts";

/** A model whose layers follow one another. */
export interface SequentialSpec {
  readonly inputShape: SampleShape;
  readonly layers: readonly LayerSpec[];
}

/** A model in JSON. `parseSpec` makes it complete: every setting is written out. */
export type ModelSpec = SequentialSpec | FunctionalSpec;

/** True for a model whose layers follow one another. */
export const isSequentialSpec = (spec: ModelSpec): spec is SequentialSpec => !("outputs" in spec);

/** Most layers of a description. Far above any model, and low enough that hostile ones cost little. */
const mostLayers = 1000;

/** A network and its plan. */
export interface PlannedModel {
  readonly network: Network;
  readonly plan: Plan;
  /** The layers, where they follow one another. */
  readonly layers: readonly Layer[] | undefined;
}

/**
 * Reads a model's description and checks that its shapes fit, without running anything.
 * @throws SpecError listing every problem: unknown layers (with the likely one), wrong fields, shapes that do not fit.
 */
export function parseModel(value: unknown): PlannedModel {
  const problems = new Problems();
  if (!isRecord(value))
    problems.add("spec", `expected {"inputShape": [...], "layers": [...]}, received ${shown(value)}`);
  const raw = isRecord(value) ? value : {};
  problems.throwIfAny();
  const isFunctional = raw["outputs"] !== undefined || raw["inputs"] !== undefined;
  const fields = isFunctional ? ["inputs", "layers", "outputs"] : ["inputShape", "layers"];
  for (const key of Object.keys(raw))
    if (!fields.includes(key))
      problems.add(key, `unknown field${suggestion(key, fields)}; expected ${fields.join(", ")}`);
  const list: unknown = raw["layers"];
  if (!Array.isArray(list)) problems.add("layers", `expected a list of layers, received ${shown(list)}`);
  else if (list.length > mostLayers)
    problems.add("layers", `expected at most ${mostLayers} layers, received ${list.length}`);
  const entries: readonly unknown[] = Array.isArray(list) && list.length <= mostLayers ? list : [];
  if (isFunctional) {
    const network = parseFunctional(raw, entries, problems);
    return { network, plan: planModel(network), layers: undefined };
  }
  const inputShape =
    raw["inputShape"] === undefined ? undefined : sampleShape().read(raw["inputShape"], "inputShape", problems);
  problems.throwIfAny();
  const layers = entries.flatMap((entry, i) => parseLayer(entry, `layers[${i}]`, problems) ?? []);
  problems.throwIfAny();
  return { ...planLayers(layers, inputShape), layers };
}

/**
 * The network of layers that follow one another, planned.
 * @throws SpecError when there is no layer or no input shape, a name comes twice, or shapes do not fit.
 */
export function planLayers(
  layers: readonly Layer[],
  inputShape: SampleShape | undefined,
): { readonly network: Network; readonly plan: Plan } {
  const problems = new Problems();
  const [first] = layers;
  const entering = inputShape ?? first?.inputShape;
  if (first === undefined) problems.add("layers", "expected at least one layer, received none");
  else if (entering === undefined)
    problems.add(
      "inputShape",
      "expected sizes of one sample, such as [28, 28, 1], on the model or its first layer; received nothing",
    );
  const given = new Set<string>();
  layers.forEach((layer, i) => {
    const { name } = layer;
    if (layers.indexOf(layer) < i)
      problems.add(
        `layers[${i}]`,
        "expected each layer once in a chain; a layer that is used twice needs a Model of inputs and outputs",
      );
    else if (name !== undefined && given.has(name))
      problems.add(`layers[${i}].name`, `expected a name of its own, received "${name}" again`);
    if (name !== undefined) given.add(name);
  });
  problems.throwIfAny();
  const dtype: InputDtype = first?.inputDtype ?? "float32";
  const network = chainNetwork(layers, { shape: entering ?? [], dtype });
  return { network, plan: planModel(network) };
}

/** The description of a model, complete: what `parseSpec` reads back as the same model. */
export const specOf = (network: Network, layers: readonly Layer[] | undefined): ModelSpec =>
  layers === undefined
    ? functionalSpec(network)
    : { inputShape: [...(network.inputs[0]?.shape ?? [])], layers: layers.map(layerSpec) };

/** @throws NnError unless the model's layers follow one another */
export function assertSequential(spec: PlannedModel): readonly Layer[] {
  if (spec.layers !== undefined) return spec.layers;
  throw new NnError(
    `expected a model whose layers follow one another, received one of ${spec.network.inputs.length} inputs (${spec.network.inputs.map(({ shape }) => formatSample(shape)).join(", ")}); use Model in place of Sequential`,
  );
}

/**
 * Reads a model's description, checks it, and writes out every setting.
 *
 * Pure: it loads no native code and allocates no weights, so a server may call it on anything.
 * @throws SpecError listing every problem.
 */
export function parseSpec(value: unknown): ModelSpec {
  const { network, layers } = parseModel(value);
  return specOf(network, layers);
}
