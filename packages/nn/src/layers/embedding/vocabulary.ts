import type { Network } from "../../network/network.ts";
import { embeddingKind } from "./embedding.ts";
import { reversibleEmbeddingKind } from "./reversible-embedding.ts";
import { tokenAndPositionEmbeddingKind } from "./token-and-position-embedding.ts";

/** The setting that says how many rows a layer's table has. */
const rowsSetting = new Map([
  [embeddingKind.type, "inputDim"],
  [reversibleEmbeddingKind.type, "inputDim"],
  [tokenAndPositionEmbeddingKind.type, "vocabularySize"],
]);

/**
 * How many words each input of a network may have that an embedding looks up as it is, by the input's name: the rows of the
 * smallest table. Inputs that go elsewhere first, such as into a model used as a layer, are not among them.
 */
export function vocabulariesOf({ inputs, calls }: Network): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { layer, inputs: entering } of calls) {
    const rows = layer.config[rowsSetting.get(layer.type) ?? ""];
    const input = inputs[entering[0] ?? -1];
    if (typeof rows !== "number" || input === undefined) continue;
    if (layer.type === reversibleEmbeddingKind.type && input.shape.length === 2) continue; // vectors, on the way back
    sizes.set(input.name, Math.min(rows, sizes.get(input.name) ?? Number.POSITIVE_INFINITY));
  }
  return sizes;
}
