/**
 * @file What flows between layers. Outside, images are channels last, as Keras has them; inside, convolutions and pools
 * keep channels first, because that is what the runtime computes fastest. The layout says how a value keeps its sizes,
 * so that copies are made only where a layer truly needs the other order.
 */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { countOf } from "../initializers/initializer.ts";
import type { SampleShape, Size } from "./shape.ts";

/** How a value keeps the sizes of a sample. */
export type Layout =
  /** As outside. */
  | { readonly kind: "plain" }
  /** A sample [..., channels] is kept as [channels, ...]. */
  | { readonly kind: "channelsFirst" }
  /** A flat sample whose elements stand in the order [channels, ...]; `from` is [..., channels]. */
  | { readonly kind: "flatChannelsFirst"; readonly from: readonly number[] };

/** A value between two layers. */
export interface Features {
  /** [batch, ...] */
  readonly value: Value;
  /** Sizes of one sample, as outside. */
  readonly shape: SampleShape;
  readonly layout: Layout;
  /** bool [batch, steps]: false where a sequence is padding; left out when every step counts. */
  readonly mask?: Value | undefined;
}

/** Features that are kept as outside. */
export const plain = (value: Value, shape: SampleShape, mask?: Value): Features => ({
  value,
  shape,
  layout: { kind: "plain" },
  ...(mask === undefined ? {} : { mask }),
});

const axesFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

const isKnown = (shape: SampleShape): shape is readonly number[] => shape.every((size: Size) => size !== null);

/** The same features in the outside order. */
export function toPlain(math: GraphMath, features: Features): Features {
  const { value, shape, layout, mask } = features;
  switch (layout.kind) {
    case "plain":
      return features;
    case "channelsFirst": {
      if (isSameOrder(shape) && isKnown(shape)) return plain(math.reshape(value, [-1, ...shape]), shape, mask);
      return plain(math.transpose(value, [0, ...axesFrom(2, shape.length - 1), 1]), shape, mask);
    }
    case "flatChannelsFirst": {
      const { from } = layout;
      const channelsFirst = math.reshape(value, [-1, from.at(-1) ?? 1, ...from.slice(0, -1)]);
      const image = math.transpose(channelsFirst, [0, ...axesFrom(2, from.length - 1), 1]);
      return plain(math.reshape(image, [-1, countOf(from)]), shape, mask);
    }
  }
}

/** Features of a sample [..., channels] as a value [batch, channels, ...]. */
export function toChannelsFirst(math: GraphMath, features: Features): Value {
  if (features.layout.kind === "channelsFirst") return features.value;
  const { value, shape } = toPlain(math, features);
  if (isSameOrder(shape) && isKnown(shape)) return math.reshape(value, [-1, shape.at(-1) ?? 1, ...shape.slice(0, -1)]);
  return math.transpose(value, [0, shape.length, ...axesFrom(1, shape.length - 1)]);
}

/** One channel, or one pixel: both orders are the same numbers. */
const isSameOrder = (shape: SampleShape): boolean =>
  shape.at(-1) === 1 || shape.slice(0, -1).every((size) => size === 1);
