/** @file What an activation is: a function of features, element by element or along the channels. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { type Features, toPlain } from "../layers/features.ts";
import type { SampleShape } from "../layers/shape.ts";

/** Applies the function. */
export interface Activation {
  (math: GraphMath, input: Features): Features;
  /** Sizes of a sample behind it, where they are not those before it. @throws ShapeError */
  readonly outputShape?: (input: SampleShape) => SampleShape;
}

/** An activation that looks at each element alone, so the layout does not matter. */
export const elementwise =
  (apply: (math: GraphMath, x: Value) => Value): Activation =>
  (math, input) => ({ ...input, value: apply(math, input.value) });

/** An activation along the last axis, as outside. */
export const alongChannels =
  (apply: (math: GraphMath, x: Value) => Value): Activation =>
  (math, input) => {
    // a flat sample keeps all its elements in any order
    const features = input.layout.kind === "channelsFirst" ? toPlain(math, input) : input;
    return { ...features, value: apply(math, features.value) };
  };
