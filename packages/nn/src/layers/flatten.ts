import { type CommonOptions, defineLayer, type Layer } from "./layer.ts";

/** The table's entry of `flatten`. */
export const flattenKind = defineLayer({
  type: "flatten",
  fields: {},
  outputShape: (_, input) => [input.reduce((product, size) => product * size, 1)],
  build(_, { math }, input) {
    const count = input.shape.reduce((product, size) => product * size, 1);
    const value = math.reshape(input.value, [-1, count]);
    const [height = 1, width = 1, channels = 1] = input.shape;
    // The elements stay where they are: a dense layer that follows keeps its kernel in that order instead.
    const isReordered = input.layout.kind === "channelsFirst" && channels > 1 && height * width > 1;
    if (isReordered)
      return { value, shape: [count], layout: { kind: "flatChannelsFirst", from: [height, width, channels] } };
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
