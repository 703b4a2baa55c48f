import type { CommonOptions, Layer } from "../layer.ts";
import { defineMerge } from "./elementwise.ts";

/** The table's entry of `add`. */
export const addKind = defineMerge("add", (math, values) => values.reduce((sum, value) => math.add(sum, value)));

/**
 * The sum of its inputs, element by element: `add().apply([x, y])`.
 *
 * - Shapes: those of the inputs; sizes of 1 are repeated, missing axes in front count as 1.
 * - Masks: a step counts where it counts in every input that has a mask.
 * - ONNX: Add.
 */
export const add = (options: CommonOptions = {}): Layer => addKind.make({ ...options });
