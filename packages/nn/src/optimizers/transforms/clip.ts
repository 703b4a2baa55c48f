/** @file Transforms that bound gradients before an optimizer sees them. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { Optimizer } from "../optimizer.ts";

/** A transform of gradients alone: it remembers nothing. */
const ofGradients = (change: (math: GraphMath, gradients: readonly Value[]) => readonly Value[]): Optimizer => ({
  slots: () => [],
  scalars: () => ({}),
  update: ({ math, weights }) =>
    change(
      math,
      weights.map(({ gradient }) => gradient),
    ).map((move) => ({ move, slots: {} })),
});

const squares = (math: GraphMath, gradient: Value): Value =>
  math.sum(
    math.mul(gradient, gradient),
    gradient.shape.map((_, axis) => axis),
  );

/** `most / max(norm, most)`: 1 for what is short enough. */
const shorten = (math: GraphMath, norm: Value, most: number): Value =>
  math.div(most, math.builder.op("Max", [norm, math.scalar(most, norm)]));

/** Each element of a gradient to within ±`most`. */
export const clipByValue = (most: number): Optimizer =>
  ofGradients((math, gradients) =>
    gradients.map((gradient) =>
      math.builder.op("Clip", [gradient, math.scalar(-most, gradient), math.scalar(most, gradient)]),
    ),
  );

/** The gradient of each weight to a length (square root of the sum of squares) of at most `most`. */
export const clipByNorm = (most: number): Optimizer =>
  ofGradients((math, gradients) =>
    gradients.map((gradient) => math.mul(gradient, shorten(math, math.sqrt(squares(math, gradient)), most))),
  );

/**
 * All gradients by one factor, so that they have together a length of at most `most`.
 *
 * - Source: Pascanu, Mikolov and Bengio 2012, arXiv:1211.5063.
 */
export const clipByGlobalNorm = (most: number): Optimizer =>
  ofGradients((math, gradients) => {
    const [first, ...others] = gradients.map((gradient) => squares(math, gradient));
    if (first === undefined) return [];
    const total = others.reduce((sum, one) => math.add(sum, one), first);
    const factor = shorten(math, math.sqrt(total), most);
    return gradients.map((gradient) => math.mul(gradient, factor));
  });
