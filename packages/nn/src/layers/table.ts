/** @file Registers every layer of this package by the name that specs use. A new one is a file and a line here. */
import { activationKind } from "./activation.ts";
import { averagePooling2dKind } from "./average-pooling2d.ts";
import { conv2dKind } from "./conv2d.ts";
import type { LayerKind } from "./define-layer.ts";
import { denseKind } from "./dense.ts";
import { dropoutKind } from "./dropout.ts";
import { flattenKind } from "./flatten.ts";
import { inputLayerKind } from "./input-layer.ts";
import { maxPooling2dKind } from "./max-pooling2d.ts";
import { registeredLayers, registerLayer } from "./registry.ts";

const kinds: readonly LayerKind[] = [
  inputLayerKind,
  denseKind,
  conv2dKind,
  maxPooling2dKind,
  averagePooling2dKind,
  flattenKind,
  dropoutKind,
  activationKind,
];
for (const kind of kinds) registerLayer(kind);

/** Every layer that specs know: those of this package, and those that users have registered. */
export const layerKinds = registeredLayers();
