/** @file What a model is trained for: loss, metrics, optimizer. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import type { Loss, TargetSpec } from "../losses/loss.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { logitsOf } from "./forward.ts";

/** Loss, metrics and optimizer, made from their specs. */
export interface Objective {
  readonly loss: Loss;
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly optimizer: Optimizer;
}

/** One number per sample each. */
export interface PerSample {
  readonly loss: Value;
  readonly metrics: ReadonlyMap<string, Value>;
}

/** Writes loss and metrics behind a model's output. */
export function writeObjective(
  math: GraphMath,
  { loss, metrics }: Objective,
  output: Value,
  target: Value,
  outputShape: readonly number[],
): PerSample {
  const prediction = { math, output, target, logits: logitsOf(math, output) };
  const kind = loss.accuracy(outputShape);
  return {
    loss: math.builder.within("loss", () => loss.perSample(prediction)),
    metrics: new Map(
      [...metrics].map(([name, metric]) => [name, math.builder.within(name, () => metric.perSample(prediction, kind))]),
    ),
  };
}

/** Target of a loss with the batch in front. */
export const targetShape = (target: TargetSpec, ...lead: readonly (number | string)[]): (number | string)[] => [
  ...lead,
  ...target.shape,
];
