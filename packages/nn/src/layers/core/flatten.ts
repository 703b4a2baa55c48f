import { countOf } from "../../initializers/initializer.ts";
import { defineLayer } from "../define-layer.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { knownShape } from "../shape.ts";

/** The table's entry of `flatten`. */
export const flattenKind = defineLayer({
  type: "flatten",
  fields: {},
  outputShape: (_, input, where) => [countOf(knownShape(input, where))],
  build(_, { math, path }, input) {
    const sizes = knownShape(input.shape, path);
    const count = countOf(sizes);
    const value = math.reshape(input.value, [-1, count]);
    // The elements stay where they are: a dense layer that follows keeps its kernel in that order instead.
    const channels = sizes.at(-1) ?? 1;
    const isReordered = input.layout.kind === "channelsFirst" && channels > 1 && count > channels;
    if (isReordered) return { value, shape: [count], layout: { kind: "flatChannelsFirst", from: sizes } };
    return {
      value,
      shape: [count],
      layout: input.layout.kind === "flatChannelsFirst" ? input.layout : { kind: "plain" },
    };
  },
});

/**
 * One axis from all of a sample's: [batch, a, b, c] → [batch, a·b·c].
 *
 * - ONNX: Reshape.
 */
export const flatten = (options: CommonOptions = {}): Layer => flattenKind.make({ ...options });
