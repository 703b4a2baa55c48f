/**
 * @file What flows between layers. Outside, images are channels last, as Keras has them; inside, convolutions and pools
 * keep channels first, because that is what the runtime computes fastest. The layout says how a value keeps its sizes,
 * so that copies are made only where a layer truly needs the other order.
 */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** How a value keeps the sizes of a sample. */
export type Layout =
  /** As outside. */
  | { readonly kind: "plain" }
  /** A sample [height, width, channels] is kept as [channels, height, width]. */
  | { readonly kind: "channelsFirst" }
  /** A flat sample whose elements stand in the order [channels, height, width]; `from` is [height, width, channels]. */
  | { readonly kind: "flatChannelsFirst"; readonly from: readonly [number, number, number] };

/** A value between two layers. */
export interface Features {
  /** [batch, ...] */
  readonly value: Value;
  /** Sizes of one sample, as outside. */
  readonly shape: readonly number[];
  readonly layout: Layout;
}

/** Features that are kept as outside. */
export const plain = (value: Value, shape: readonly number[]): Features => ({
  value,
  shape,
  layout: { kind: "plain" },
});

/** The same features in the outside order. */
export function toPlain(math: GraphMath, features: Features): Features {
  const { value, shape, layout } = features;
  switch (layout.kind) {
    case "plain":
      return features;
    case "channelsFirst": {
      const [height = 1, width = 1, channels = 1] = shape;
      const isSameOrder = channels === 1 || height * width === 1;
      return plain(isSameOrder ? math.reshape(value, [-1, ...shape]) : math.transpose(value, [0, 2, 3, 1]), shape);
    }
    case "flatChannelsFirst": {
      const [height, width, channels] = layout.from;
      const image = math.transpose(math.reshape(value, [-1, channels, height, width]), [0, 2, 3, 1]);
      return plain(math.reshape(image, [-1, ...shape]), shape);
    }
  }
}

/** Features of a sample [height, width, channels] as a value [batch, channels, height, width]. */
export function toChannelsFirst(math: GraphMath, features: Features): Value {
  if (features.layout.kind === "channelsFirst") return features.value;
  const { value, shape } = toPlain(math, features);
  const [height = 1, width = 1, channels = 1] = shape;
  // one channel, or one pixel: both orders are the same numbers
  if (channels === 1 || height * width === 1) return math.reshape(value, [-1, channels, height, width]);
  return math.transpose(value, [0, 3, 1, 2]);
}
