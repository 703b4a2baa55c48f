import type { Node, Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { defineLayer } from "./define-layer.ts";
import { toChannelsFirst } from "./features.ts";
import type { Layer } from "./layer.ts";
import { poolByPhases } from "./pool-by-phases.ts";
import { type Pooling2dOptions, poolingFields, poolStrides, slidePool } from "./pooling2d.ts";

/** The table's entry of `maxPooling2d`. */
export const maxPooling2dKind = defineLayer({
  type: "maxPooling2d",
  fields: poolingFields,
  outputShape: (config, input, where) => [...slidePool(config, input, where).map, input[2] ?? 1],
  build(config, { math, training }, input) {
    const { map, pads } = slidePool(config, input.shape, "maxPooling2d");
    const size = config.poolSize;
    const strides = poolStrides(config);
    const { before, after } = reluBehind(math, toChannelsFirst(math, input));
    const isApart = strides.join() === size.join() && pads.every((pad) => pad === 0);
    const phases = training && isApart ? poolByPhases(math, makerOf(math, before), { size, map }) : undefined;
    // While training the second output says which element won; the gradient goes there and nowhere else.
    const pooled =
      phases ?? math.builder.ops("MaxPool", [before], { kernel_shape: size, strides, pads }, training ? 2 : 1)[0];
    if (pooled === undefined) throw new Error("MaxPool made no output");
    return { value: after(pooled), shape: [...map, input.shape[2] ?? 1], layout: { kind: "channelsFirst" } };
  },
});

/** The node that made a value. */
const makerOf = (math: GraphMath, value: Value): Node | undefined =>
  math.builder.nodes.findLast((node) => node.outputs[0] === value);

/**
 * A relu in front of the pool moves behind it: max(relu(a), relu(b)) = relu(max(a, b)), for the gradients too, and behind
 * the pool it and its gradient have a quarter of the elements (0.8 ms of 6 in the reference network's step).
 */
function reluBehind(math: GraphMath, x: Value): { before: Value; after: (pooled: Value) => Value } {
  const maker = makerOf(math, x);
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
