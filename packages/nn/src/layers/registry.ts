/** @file The layers that specs know, by type. Those of this package register themselves in table.ts; users add their own. */
import { NnError } from "../errors.ts";
import { isRecord, type Problems, shown } from "../schema/problems.ts";
import { suggestion } from "../schema/suggest.ts";
import type { LayerKind } from "./define-layer.ts";
import type { Layer, LayerSpec } from "./layer.ts";

const kinds = new Map<string, LayerKind>();

/** Makes a kind of layer known to specs and saved models. @throws NnError when another kind has its type. */
export function registerLayer(kind: LayerKind): void {
  const known = kinds.get(kind.type);
  if (known !== undefined && known !== kind)
    throw new NnError(`registerLayer: expected a type of its own, "${kind.type}" is another layer's`);
  kinds.set(kind.type, kind);
}

/** Every kind that is known, by type. */
export const registeredLayers = (): ReadonlyMap<string, LayerKind> => kinds;

/** Most layers within layers. Far above any model, and low enough that hostile descriptions cost little. */
const mostDepth = 16;
let depth = 0;

/** A layer from its JSON, or undefined after adding problems. */
export function parseLayer(raw: unknown, where: string, problems: Problems): Layer | undefined {
  if (depth >= mostDepth) {
    problems.add(where, `expected at most ${mostDepth} layers within each other`);
    return undefined;
  }
  depth++;
  try {
    return parseKnown(raw, where, problems);
  } finally {
    depth--;
  }
}

function parseKnown(raw: unknown, where: string, problems: Problems): Layer | undefined {
  const names = [...kinds.keys()];
  if (!isRecord(raw) || typeof raw["type"] !== "string") {
    problems.add(where, `expected {"type": layer, ...} with one of ${names.join(", ")}; received ${shown(raw)}`);
    return undefined;
  }
  const { type, ...settings } = raw;
  const kind = kinds.get(String(type));
  if (kind === undefined) {
    problems.add(where, `unknown layer ${shown(type)}${suggestion(String(type), names)}; known: ${names.join(", ")}`);
    return undefined;
  }
  const label = typeof settings["name"] === "string" ? settings["name"].slice(0, 64) : kind.type;
  return kind.parse(settings, `${where} (${label})`, problems);
}

/** A layer as JSON, every setting written out: what `parseLayer` reads back as the same layer. */
export const layerSpec = ({ type, name, inputShape, trainable, config }: Layer): LayerSpec => ({
  type,
  ...(name === undefined ? {} : { name }),
  ...(inputShape === undefined ? {} : { inputShape: [...inputShape] }),
  ...(trainable ? {} : { trainable }),
  ...config,
});
