/** @file The merges that work element by element: what they share is how shapes, layouts and masks of several inputs meet. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type DefinedLayer, defineManyLayer } from "../define-layer.ts";
import { type Features, plain, toChannelsFirst, toPlain } from "../features.ts";
import { formatSample, isSameSample, type SampleShape, type Size } from "../shape.ts";
import { andMasks } from "./masks.ts";

/** What is written for values that broadcast against each other. */
type Combine = (math: GraphMath, values: readonly Value[]) => Value;

/** Defines a merge by what it makes of each element. `most` inputs, any number when left out. */
export const defineMerge = (type: string, combine: Combine, most = Number.POSITIVE_INFINITY): DefinedLayer =>
  defineManyLayer({
    type,
    fields: {},
    inputs: [2, most],
    outputShapes: (_, inputs, where) => [broadcastShapes(inputs, where)],
    build(_, { math, path }, inputs) {
      const shape = broadcastShapes(
        inputs.map((one) => one.shape),
        path,
      );
      const { values, layout } = aligned(math, inputs, shape.length);
      const mask = andMasks(math, inputs, shape.length, path);
      return [{ value: combine(math, values), shape, layout, ...(mask === undefined ? {} : { mask }) }];
    },
  });

/** Keras: shapes are aligned at their last axes, and a size of 1 is repeated. @throws ShapeError */
function broadcastShapes(inputs: readonly SampleShape[], where: string): SampleShape {
  const rank = Math.max(...inputs.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = inputs.map((shape): Size => {
      const own = axis - (rank - shape.length);
      return own < 0 ? 1 : (shape[own] ?? null);
    });
    const known = new Set(sizes.filter((size) => size !== 1 && size !== null));
    if (known.size > 1)
      throw new ShapeError(
        where,
        `expected samples of the same sizes, or 1 where one is repeated, received ${inputs.map(formatSample).join(" and ")}`,
      );
    const [size] = known;
    return size ?? (sizes.includes(null) ? null : 1);
  });
}

/** All inputs in one layout: as they come where they agree, channels first where any image does, else as outside. */
function aligned(
  math: GraphMath,
  inputs: readonly Features[],
  rank: number,
): { values: readonly Value[]; layout: Features["layout"] } {
  const [first] = inputs;
  const isOneOrder =
    first?.layout.kind === "flatChannelsFirst" &&
    inputs.every(({ layout }) => layout.kind === "flatChannelsFirst" && isSameSample(layout.from, from(first)));
  if (first !== undefined && isOneOrder) return { values: inputs.map(({ value }) => value), layout: first.layout };
  const widened = inputs.map((one) => widen(math, one, rank));
  if (inputs.some(({ layout, shape }) => layout.kind === "channelsFirst" && shape.length === rank))
    return { values: widened.map((one) => toChannelsFirst(math, one)), layout: { kind: "channelsFirst" } };
  return { values: widened.map((one) => toPlain(math, one).value), layout: { kind: "plain" } };
}

const from = ({ layout }: Features): SampleShape => (layout.kind === "flatChannelsFirst" ? layout.from : []);

/** The same with axes of 1 in front: [channels] beside [height, width, channels] is [1, 1, channels]. */
function widen(math: GraphMath, features: Features, rank: number): Features {
  const missing = rank - features.shape.length;
  if (missing === 0) return features;
  const { value, shape } = toPlain(math, features);
  const axes = Array.from({ length: missing }, (_, i) => i + 1);
  const wide = math.builder.op("Unsqueeze", [value, math.builder.ints(...axes)]);
  return plain(wide, [...axes.map(() => 1), ...shape]);
}
