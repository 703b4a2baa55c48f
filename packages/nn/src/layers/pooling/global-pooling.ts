/** @file One number of all places for each channel: the mean or the largest. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { flag } from "../../schema/field.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import type { SampleShape } from "../shape.ts";
import { type Rank, spatialShape } from "../spatial/window.ts";

/** Settings of the global pools. */
export interface GlobalPoolingOptions extends CommonOptions {
  /** Keeps an axis of 1 for each that is pooled. */
  readonly keepdims?: boolean;
}

const shapeOf = (keepdims: boolean, input: SampleShape, rank: Rank, where: string): SampleShape => {
  const { sizes, channels } = spatialShape(input, rank, where);
  return keepdims ? [...sizes.map(() => 1), channels] : [channels];
};

/** Axes of all places, in the layout that comes: nothing is turned. */
const placesOf = ({ layout }: Features, rank: Rank): readonly number[] =>
  Array.from({ length: rank }, (_, i) => i + (layout.kind === "channelsFirst" ? 2 : 1));

type Pool = (math: GraphMath, value: Value, axes: readonly number[]) => Value;

function define(type: string, rank: Rank, pool: Pool): DefinedLayer {
  return defineLayer({
    type,
    fields: { keepdims: flag(false) },
    ...(rank === 1 ? { mask: "reads" as const } : {}),
    outputShape: ({ keepdims }, input, where) => shapeOf(keepdims, input, rank, where),
    build({ keepdims }, { math, path }, input) {
      const shape = shapeOf(keepdims, input.shape, rank, path);
      const value =
        input.mask === undefined ? pool(math, input.value, placesOf(input, rank)) : masked(math, type, input);
      return plain(math.reshape(value, [-1, ...shape.map((size) => size ?? 1)]), shape);
    },
  });
}

/** Over the steps that the mask keeps; a sequence of padding alone has 0. */
function masked(math: GraphMath, type: string, input: Features): Value {
  const { value, mask } = toPlain(math, input);
  if (mask === undefined) throw new Error(`${type}: asked for steps of a mask without one`);
  const kept = math.builder.op("Unsqueeze", [mask, math.builder.ints(2)]); // [batch, steps, 1]
  const steps = math.sum(math.cast(kept, "float32"), [1]); // [batch, 1]
  if (type.startsWith("globalAverage")) {
    const sum = math.sum(math.where(kept, value, 0), [1]);
    return math.div(sum, math.cast(math.builder.op("Max", [steps, math.scalar(1, steps)]), value.dtype));
  }
  const largest = math.builder.op("ReduceMax", [math.where(kept, value, -3.4e38), math.builder.ints(1)], {
    keepdims: 0,
  });
  return math.where(math.greater(steps, 0), largest, 0);
}

const mean: Pool = (math, value, axes) => math.mean(value, axes);
const max: Pool = (math, value, axes) =>
  math.builder.op("ReduceMax", [value, math.builder.ints(...axes)], { keepdims: 0 });

/** The table's entry of `globalAveragePooling1d`. */
export const globalAveragePooling1dKind = define("globalAveragePooling1d", 1, mean);
/** The table's entry of `globalAveragePooling2d`. */
export const globalAveragePooling2dKind = define("globalAveragePooling2d", 2, mean);
/** The table's entry of `globalAveragePooling3d`. */
export const globalAveragePooling3dKind = define("globalAveragePooling3d", 3, mean);
/** The table's entry of `globalMaxPooling1d`. */
export const globalMaxPooling1dKind = define("globalMaxPooling1d", 1, max);
/** The table's entry of `globalMaxPooling2d`. */
export const globalMaxPooling2dKind = define("globalMaxPooling2d", 2, max);
/** The table's entry of `globalMaxPooling3d`. */
export const globalMaxPooling3dKind = define("globalMaxPooling3d", 3, max);

/** Mean over all steps: [batch, steps, channels] → [batch, channels]. A mask says which steps count; none counts as 0. */
export const globalAveragePooling1d = (options: GlobalPoolingOptions = {}): Layer =>
  globalAveragePooling1dKind.make({ ...options });
/** Mean over all pixels: [batch, height, width, channels] → [batch, channels]. ONNX: ReduceMean. */
export const globalAveragePooling2d = (options: GlobalPoolingOptions = {}): Layer =>
  globalAveragePooling2dKind.make({ ...options });
/** Mean over all voxels: [batch, depth, height, width, channels] → [batch, channels]. ONNX: ReduceMean. */
export const globalAveragePooling3d = (options: GlobalPoolingOptions = {}): Layer =>
  globalAveragePooling3dKind.make({ ...options });
/** Largest of all steps: [batch, steps, channels] → [batch, channels]. A mask says which steps count; none gives 0. Ties share the gradient. */
export const globalMaxPooling1d = (options: GlobalPoolingOptions = {}): Layer =>
  globalMaxPooling1dKind.make({ ...options });
/** Largest of all pixels: [batch, height, width, channels] → [batch, channels]. Ties share the gradient. ONNX: ReduceMax. */
export const globalMaxPooling2d = (options: GlobalPoolingOptions = {}): Layer =>
  globalMaxPooling2dKind.make({ ...options });
/** Largest of all voxels: [batch, depth, height, width, channels] → [batch, channels]. Ties share the gradient. ONNX: ReduceMax. */
export const globalMaxPooling3d = (options: GlobalPoolingOptions = {}): Layer =>
  globalMaxPooling3dKind.make({ ...options });
