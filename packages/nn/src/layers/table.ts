/** @file Every layer by the name that specs use. A new one is a file and a line here. */
import { activationKind } from "./activation.ts";
import { averagePooling2dKind } from "./average-pooling2d.ts";
import { conv2dKind } from "./conv2d.ts";
import { denseKind } from "./dense.ts";
import { dropoutKind } from "./dropout.ts";
import { flattenKind } from "./flatten.ts";
import { inputLayerKind } from "./input-layer.ts";
import type { LayerKind } from "./layer.ts";
import { maxPooling2dKind } from "./max-pooling2d.ts";

/** Every layer. */
export const layerKinds: Readonly<Record<string, LayerKind>> = {
  inputLayer: inputLayerKind,
  dense: denseKind,
  conv2d: conv2dKind,
  maxPooling2d: maxPooling2dKind,
  averagePooling2d: averagePooling2dKind,
  flatten: flattenKind,
  dropout: dropoutKind,
  activation: activationKind,
};
