/** @file A model as JSON: its layers and the sizes of one sample. */
import { type Plan, planModel } from "../compile/plan.ts";
import type { Layer, LayerSpec } from "../layers/layer.ts";
import { layerKinds } from "../layers/table.ts";
import { sampleShape } from "../schema/field.ts";
import { isRecord, Problems, shown } from "../schema/problems.ts";
import { suggestion } from "../schema/suggest.ts";

/** A model in JSON. `parseSpec` makes it complete: every setting is written out. */
export interface ModelSpec {
  readonly inputShape: readonly number[];
  readonly layers: readonly LayerSpec[];
}

/** Most layers of a description. Far above any model, and low enough that hostile ones cost little. */
const mostLayers = 1000;

/** Layers and their plan. */
export interface PlannedModel {
  readonly layers: readonly Layer[];
  readonly plan: Plan;
}

/**
 * Reads a model's description and checks that its shapes fit, without running anything.
 * @throws SpecError listing every problem: unknown layers (with the likely one), wrong fields, shapes that do not fit.
 */
export function parseModel(value: unknown): PlannedModel {
  const problems = new Problems();
  if (!isRecord(value)) {
    problems.add("spec", `expected {"inputShape": [...], "layers": [...]}, received ${shown(value)}`);
    problems.throwIfAny();
    return parseModel({});
  }
  for (const key of Object.keys(value))
    if (key !== "layers" && key !== "inputShape")
      problems.add(key, `unknown field${suggestion(key, ["layers", "inputShape"])}; expected inputShape, layers`);
  const inputShape =
    value["inputShape"] === undefined ? undefined : sampleShape().read(value["inputShape"], "inputShape", problems);
  const list: unknown = value["layers"];
  if (!Array.isArray(list)) problems.add("layers", `expected a list of layers, received ${shown(list)}`);
  else if (list.length > mostLayers)
    problems.add("layers", `expected at most ${mostLayers} layers, received ${list.length}`);
  problems.throwIfAny();
  const layers = (list as readonly unknown[]).flatMap((raw, i) => parseLayer(raw, `layers[${i}]`, problems) ?? []);
  problems.throwIfAny();
  return { layers, plan: planModel(layers, inputShape) };
}

function parseLayer(raw: unknown, where: string, problems: Problems): Layer | undefined {
  const names = Object.keys(layerKinds);
  if (!isRecord(raw) || typeof raw["type"] !== "string") {
    problems.add(where, `expected {"type": layer, ...} with one of ${names.join(", ")}; received ${shown(raw)}`);
    return undefined;
  }
  const { type, ...settings } = raw;
  const kind = Object.hasOwn(layerKinds, String(type)) ? layerKinds[String(type)] : undefined;
  if (kind === undefined) {
    problems.add(where, `unknown layer ${shown(type)}${suggestion(String(type), names)}; known: ${names.join(", ")}`);
    return undefined;
  }
  const label = typeof settings["name"] === "string" ? settings["name"].slice(0, 64) : kind.type;
  return kind.parse(settings, `${where} (${label})`, problems);
}

/** The description of layers, complete: what `parseSpec` reads back as the same model. */
export const specOf = (layers: readonly Layer[], inputShape: readonly number[]): ModelSpec => ({
  inputShape: [...inputShape],
  layers: layers.map(({ type, name, inputShape: entering, config }) => ({
    type,
    ...(name === undefined ? {} : { name }),
    ...(entering === undefined ? {} : { inputShape: entering }),
    ...config,
  })),
});

/**
 * Reads a model's description, checks it, and writes out every setting.
 *
 * Pure: it loads no native code and allocates no weights, so a server may call it on anything.
 * @throws SpecError listing every problem.
 */
export function parseSpec(value: unknown): ModelSpec {
  const { layers, plan } = parseModel(value);
  return specOf(layers, plan.inputShape);
}
