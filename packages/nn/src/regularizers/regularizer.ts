/** @file What a regularizer is: a scalar that grows with a weight and is added to the loss. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** The scalar of one weight; the order in which the weight is kept must not matter. */
export type Regularizer = (math: GraphMath, weight: Value) => Value;
