import { applyLayer, applyOne } from "../network/symbolic.ts";
import type { Layer, SymbolicTensor } from "./layer.ts";

const listOf = (inputs: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] =>
  "shape" in inputs ? [inputs] : inputs;

/** A layer from its parts; adds how it is applied. */
export const layerOf = (parts: Omit<Layer, "apply" | "applyAll">): Layer => {
  const layer: Layer = {
    ...parts,
    apply: (inputs) => applyOne(layer, listOf(inputs)),
    applyAll: (inputs) => applyLayer(layer, listOf(inputs)),
  };
  return layer;
};
