import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { toChannelsFirst } from "./features.ts";
import { defineLayer, type Layer } from "./layer.ts";
import { type Pooling2dOptions, poolingFields, poolStrides, slidePool } from "./pooling2d.ts";

/** The table's entry of `maxPooling2d`. */
export const maxPooling2dKind = defineLayer({
  type: "maxPooling2d",
  fields: poolingFields,
  outputShape: (config, input, where) => [...slidePool(config, input, where).map, input[2] ?? 1],
  build(config, { math, training }, input) {
    const { map, pads } = slidePool(config, input.shape, "maxPooling2d");
    const { before, after } = reluBehind(math, toChannelsFirst(math, input));
    const attributes = { kernel_shape: config.poolSize, strides: poolStrides(config), pads };
    // While training the second output says which element won; the gradient goes there and nowhere else.
    const [value] = math.builder.ops("MaxPool", [before], attributes, training ? 2 : 1);
    if (value === undefined) throw new Error("MaxPool made no output");
    return { value: after(value), shape: [...map, input.shape[2] ?? 1], layout: { kind: "channelsFirst" } };
  },
});

/**
 * A relu in front of the pool moves behind it: max(relu(a), relu(b)) = relu(max(a, b)), for the gradients too, and behind
 * the pool it and its gradient have a quarter of the elements (0.8 ms of 6 in the reference network's step).
 */
function reluBehind(math: GraphMath, x: Value): { before: Value; after: (pooled: Value) => Value } {
  const maker = math.builder.nodes.findLast((node) => node.outputs[0] === x);
  const before = maker?.operator === "Relu" ? maker.inputs[0] : undefined;
  return before === undefined
    ? { before: x, after: (pooled) => pooled }
    : { before, after: (pooled) => math.builder.op("Relu", [pooled]) };
}

/**
 * The largest value of each window, per channel.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', channels].
 * - Defaults: `poolSize` 2, `strides` the pool's size, `padding` "valid".
 * - Gradient: to the first largest element of a window, so ties count once.
 * - ONNX: MaxPool, channels first.
 */
export const maxPooling2d = (poolSize: number | readonly [number, number] = 2, options: Pooling2dOptions = {}): Layer =>
  maxPooling2dKind.make({ poolSize, ...options });
