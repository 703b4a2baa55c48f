import { defineManyLayer } from "../layers/define-layer.ts";
import type { Features } from "../layers/features.ts";
import type { SymbolicTensor } from "../layers/layer.ts";

const masked = defineManyLayer({
  type: "givenMask",
  fields: {},
  inputs: [2, 2],
  outputShapes: (_config, [value = []]) => [value],
  build(_config, { math }, [value, mask]): Features[] {
    if (value === undefined || mask === undefined) throw new Error("givenMask: built without its inputs");
    return [{ ...value, mask: math.cast(mask.value, "bool") }];
  },
});

/** The value with a mask [batch, steps] that is fed as numbers, 1 for what counts. */
export const givenMask = (value: SymbolicTensor, mask: SymbolicTensor): SymbolicTensor =>
  masked.make({}).apply([value, mask]);
