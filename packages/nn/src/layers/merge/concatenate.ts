import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { axisField, keptAxis, sampleAxis } from "../core/axis.ts";
import { defineManyLayer } from "../define-layer.ts";
import { type Features, toChannelsFirst, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { formatSample, type SampleShape, type Size } from "../shape.ts";
import { andMasks } from "./masks.ts";

function joined(axis: number, inputs: readonly SampleShape[], where: string): SampleShape {
  const [first = []] = inputs;
  const along = sampleAxis(axis, first, where);
  const isWrong = inputs.some(
    (shape) => shape.length !== first.length || shape.some((size, i) => i !== along && size !== first[i]),
  );
  if (isWrong)
    throw new ShapeError(
      where,
      `expected samples of the same sizes on all axes but ${axis}, received ${inputs.map(formatSample).join(" and ")}`,
    );
  const sum = inputs.reduce((total: Size, shape) => {
    const size = shape[along] ?? null;
    return total === null || size === null ? null : total + size;
  }, 0);
  return first.map((size, i) => (i === along ? sum : size));
}

/** Along the steps the masks follow one another, and inputs without one count in full; along other axes all must count. */
function joinedMask(
  math: GraphMath,
  inputs: readonly Features[],
  isAlongSteps: boolean,
  where: string,
): Value | undefined {
  if (!isAlongSteps) return andMasks(math, inputs, inputs[0]?.shape.length ?? 0, where);
  if (inputs.every(({ mask }) => mask === undefined)) return undefined;
  const masks = inputs.map((features) => features.mask ?? allCount(math, features));
  return math.concat(masks, 1);
}

/** A mask of true for every step. */
function allCount(math: GraphMath, features: Features): Value {
  const { builder } = math;
  const sizes = builder.op("Shape", [toPlain(math, features).value], { start: 0, end: 2 });
  return builder.op("Expand", [builder.scalar(true, "bool"), sizes]);
}

/** The table's entry of `concatenate`. */
export const concatenateKind = defineManyLayer({
  type: "concatenate",
  fields: { axis: axisField(-1) },
  inputs: [2, Number.POSITIVE_INFINITY],
  outputShapes: ({ axis }, inputs, where) => [joined(axis, inputs, where)],
  build({ axis }, { math, path }, inputs) {
    const shape = joined(
      axis,
      inputs.map((one) => one.shape),
      path,
    );
    const along = sampleAxis(axis, shape, path);
    const isImage = inputs.some(({ layout }) => layout.kind === "channelsFirst");
    const values = inputs.map((one) => (isImage ? toChannelsFirst(math, one) : toPlain(math, one).value));
    const layout: Features["layout"] = isImage ? { kind: "channelsFirst" } : { kind: "plain" };
    const mask = joinedMask(math, inputs, along === 0 && shape.length > 1, path);
    const value = math.concat(values, keptAxis(layout, along, shape.length));
    return [{ value, shape, layout, ...(mask === undefined ? {} : { mask }) }];
  },
});

/**
 * Its inputs one behind the other along an axis: `concatenate().apply([x, y])`.
 *
 * - Shapes: equal on all other axes; the sizes along `axis` add up.
 * - Defaults: `axis` -1, the last; 1 is the first behind the batch.
 * - Masks: along the steps they follow one another; along other axes a step counts where it counts in every input.
 * - ONNX: Concat.
 */
export const concatenate = (options: { readonly axis?: number } & CommonOptions = {}): Layer =>
  concatenateKind.make({ ...options });
