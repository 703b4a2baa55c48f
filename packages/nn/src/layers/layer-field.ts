/** @file A setting that is a layer: what `bidirectional` and `timeDistributed` wrap. */
import type { Field } from "../schema/field.ts";
import { isRecord, Problems } from "../schema/problems.ts";
import type { Layer, LayerSpec } from "./layer.ts";
import { layerSpec, parseLayer } from "./registry.ts";

const isLayer = (value: unknown): value is Layer =>
  isRecord(value) && typeof value["build"] === "function" && typeof value["type"] === "string";

/** Reads a layer, or its JSON; it is kept as JSON. */
export const layerField = (): Field<LayerSpec> => ({
  expected: 'a layer, or {"type": layer, ...}',
  read(value, where, problems) {
    const layer = isLayer(value) ? value : parseLayer(value, where, problems);
    return layer === undefined ? undefined : layerSpec(layer);
  },
});

/** The layer that a setting, already read, describes. */
export function layerFrom(spec: LayerSpec): Layer {
  const problems = new Problems();
  const layer = parseLayer(spec, spec.type, problems);
  problems.throwIfAny();
  if (layer === undefined) throw new Error(`${spec.type}: made no layer and named no problem`);
  return layer;
}
