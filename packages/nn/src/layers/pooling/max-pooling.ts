/** @file The largest values of windows over sequences, images and volumes. */
import type { Node, Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { toChannelsFirst } from "../features.ts";
import type { Layer } from "../layer.ts";
import { type Rank, spatialShape } from "../spatial/window.ts";
import { type PoolingOptions, type PoolSize, poolingFields, poolStrides, slidePool } from "./pool.ts";
import { poolByPhases } from "./pool-by-phases.ts";

const define = (rank: Rank): DefinedLayer =>
  defineLayer({
    type: `maxPooling${rank}d`,
    fields: poolingFields(rank),
    outputShape: (config, input, where) => [
      ...slidePool(config, rank, input, where).map,
      spatialShape(input, rank, where).channels,
    ],
    build(config, { math, training, path }, input) {
      const { map, pads } = slidePool(config, rank, input.shape, path);
      const size = config.poolSize;
      const strides = poolStrides(config);
      const { before, after } = reluBehind(math, toChannelsFirst(math, input));
      const isApart = strides.join() === size.join() && pads.every((pad) => pad === 0);
      const [[down, across], [rows, columns]] = [size, map];
      const phases =
        training && rank === 2 && isApart && down && across && rows && columns
          ? poolByPhases(math, makerOf(math, before), { size: [down, across], map: [rows, columns] })
          : undefined;
      // While training the second output says which element won; the gradient goes there and nowhere else.
      const pooled =
        phases ?? math.builder.ops("MaxPool", [before], { kernel_shape: size, strides, pads }, training ? 2 : 1)[0];
      if (pooled === undefined) throw new Error("MaxPool made no output");
      const { channels } = spatialShape(input.shape, rank, path);
      return { value: after(pooled), shape: [...map, channels], layout: { kind: "channelsFirst" } };
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

/** The table's entry of `maxPooling1d`. */
export const maxPooling1dKind = define(1);
/** The table's entry of `maxPooling2d`. */
export const maxPooling2dKind = define(2);
/** The table's entry of `maxPooling3d`. */
export const maxPooling3dKind = define(3);

/**
 * The largest value of each window of a sequence, per channel.
 *
 * - Shapes: x [batch, steps, channels] → y [batch, steps', channels]. Defaults, gradient and ONNX: those of `maxPooling2d`.
 */
export const maxPooling1d = (poolSize: PoolSize = 2, options: PoolingOptions = {}): Layer =>
  maxPooling1dKind.make({ poolSize, ...options });

/**
 * The largest value of each window of an image, per channel.
 *
 * - Shapes: x [batch, height, width, channels] → y [batch, height', width', channels].
 * - Defaults: `poolSize` 2, `strides` the pool's size, `padding` "valid".
 * - Gradient: to the first largest element of a window, so ties count once.
 * - ONNX: MaxPool, channels first.
 */
export const maxPooling2d = (poolSize: PoolSize = 2, options: PoolingOptions = {}): Layer =>
  maxPooling2dKind.make({ poolSize, ...options });

/**
 * The largest value of each window of a volume, per channel.
 *
 * - Shapes: x [batch, depth, height, width, channels] → y [batch, depth', height', width', channels]. Defaults, gradient
 *   and ONNX: those of `maxPooling2d`.
 */
export const maxPooling3d = (poolSize: PoolSize = 2, options: PoolingOptions = {}): Layer =>
  maxPooling3dKind.make({ poolSize, ...options });
