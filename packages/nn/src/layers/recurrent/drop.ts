/** @file Dropout in recurrent layers: one mask for all steps of a sample (Gal and Ghahramani, 2016). */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { keepMask } from "../../random/random-words.ts";
import type { LayerScope } from "../layer.ts";
import { zerosPerSample } from "./zeros.ts";

/**
 * What x [..., batch, size] is multiplied by while training: [batch, size], 0 with probability `rate`, else
 * `1 / (1 - rate)`; undefined where nothing is dropped. All gates of a cell see the same mask.
 */
export function dropFactors(
  scope: LayerScope,
  purpose: string,
  rate: number,
  batchOf: Value,
  size: number,
): Value | undefined {
  if (!scope.training || rate === 0) return undefined;
  const { math } = scope;
  const zeros = zerosPerSample(math, batchOf, size);
  return math.where(keepMask(math, zeros, scope.randomKey(purpose), rate), math.scalar(1 / (1 - rate), zeros), zeros);
}

/** The value with its dropped elements, where any are. */
export const dropped = (math: GraphMath, value: Value, factors: Value | undefined): Value =>
  factors === undefined ? value : math.mul(value, factors);
