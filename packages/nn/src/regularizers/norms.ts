/** @file Regularizers by the size of weights, as Keras has them. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { numberWhere } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import type { Regularizer } from "./regularizer.ts";

const factor = (fallback: number) => numberWhere("a number from 0", (value) => value >= 0, fallback);

const sumOfAll = (math: GraphMath, value: Value): Value =>
  math.sum(
    value,
    value.shape.map((_, axis) => axis),
  );
const absolute = (math: GraphMath, weight: Value): Value => sumOfAll(math, math.builder.op("Abs", [weight]));
const squares = (math: GraphMath, weight: Value): Value => sumOfAll(math, math.mul(weight, weight));

/** `l1 * sum(|w|)`, `l1` 0.01. */
export const l1 = defineKind(
  "l1",
  { l1: factor(0.01) },
  ({ l1 }): Regularizer =>
    (math, weight) =>
      math.mul(absolute(math, weight), l1),
);

/** `l2 * sum(w²)`, `l2` 0.01. */
export const l2 = defineKind(
  "l2",
  { l2: factor(0.01) },
  ({ l2 }): Regularizer =>
    (math, weight) =>
      math.mul(squares(math, weight), l2),
);

/** `l1 * sum(|w|) + l2 * sum(w²)`, both 0 when left out. */
export const l1L2 = defineKind(
  "l1L2",
  { l1: factor(0), l2: factor(0) },
  ({ l1, l2 }): Regularizer =>
    (math, weight) =>
      math.add(math.mul(absolute(math, weight), l1), math.mul(squares(math, weight), l2)),
);
