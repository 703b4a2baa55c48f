/** @file What a model is trained for: a loss and metrics for each output, and the optimizer. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import type { Features } from "../layers/features.ts";
import { knownShape } from "../layers/shape.ts";
import type { Loss, TargetSpec } from "../losses/loss.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { logitsOf } from "./forward.ts";

/** What one output is trained for. */
export interface OutputObjective {
  /** Of the output. */
  readonly name: string;
  readonly loss: Loss;
  /** How much its loss counts beside those of other outputs. */
  readonly lossWeight: number;
  /** By the name that reports use: "accuracy", or "digits/accuracy" in a model of several outputs. */
  readonly metrics: ReadonlyMap<string, Metric>;
}

/** Losses, metrics and optimizer, made from their specs. */
export interface Objective {
  /** In the order of the model's outputs. */
  readonly outputs: readonly OutputObjective[];
  readonly optimizer: Optimizer;
}

/** An output in the graph, with what is true of it. */
export interface Answered {
  readonly features: Features;
  readonly target: Value;
  /** float32 [batch] or [batch, ...answers]: how much each sample or answer counts; undefined when all count alike. */
  readonly weight: Value | undefined;
}

/** What a graph says of a batch. */
export interface Judged {
  /** Scalar: what is trained for, without what layers and regularizers add. */
  readonly loss: Value;
  /** Of each output, where there are several: scalar, before its weight. */
  readonly losses: ReadonlyMap<string, Value>;
  /** float32 sums by metric and name. */
  readonly sums: ReadonlyMap<string, Readonly<Record<string, Value>>>;
}

/** The metrics of all outputs, by the name that reports use. */
export const metricsOf = ({ outputs }: Objective): ReadonlyMap<string, Metric> =>
  new Map(outputs.flatMap(({ metrics }) => [...metrics]));

/** Writes losses and metrics behind a model's outputs, one entry each in their order. */
export function writeObjective(math: GraphMath, { outputs }: Objective, answered: readonly Answered[]): Judged {
  const losses = new Map<string, Value>();
  const sums = new Map<string, Readonly<Record<string, Value>>>();
  let total: Value | undefined;
  outputs.forEach(({ name, loss, lossWeight, metrics }, i) => {
    const one = answered[i];
    if (one === undefined) throw new Error(`${name}: the graph has no such output`);
    const { features, target } = one;
    const { value: output, mask } = features;
    const prediction = { math, output, logits: logitsOf(math, output), target, mask };
    const scalar = math.builder.within("loss", () => meanLoss(math, loss, prediction, one.weight));
    losses.set(name, scalar);
    const weighed = lossWeight === 1 ? scalar : math.mul(scalar, lossWeight);
    total = total === undefined ? weighed : math.add(total, weighed);
    const kind = loss.accuracy(features.shape.map((size) => size ?? 1));
    const weights = mask === undefined || loss.usesMask ? undefined : math.cast(mask, "float32");
    for (const [metric, { sums: write }] of metrics)
      sums.set(
        metric,
        math.builder.within(metric, () => write({ ...prediction, kind, weights })),
      );
  });
  if (total === undefined) throw new Error("the objective has no output");
  return { loss: total, losses: outputs.length > 1 ? losses : new Map(), sums };
}

/**
 * One number of all answers: sum(number * weight) / count. With a mask, or a loss that leaves answers out, the kept
 * numbers alone are summed and counted; a batch in which none is kept has loss 0.
 */
function meanLoss(
  math: GraphMath,
  loss: Loss,
  prediction: Parameters<Loss["perAnswer"]>[0],
  weight: Value | undefined,
): Value {
  const numbers = loss.perAnswer(prediction);
  const all = (value: Value): number[] => value.shape.map((_, axis) => axis);
  const weighed = weight === undefined ? numbers : math.mul(numbers, spread(math, weight, numbers));
  const masks = [loss.usesMask ? undefined : prediction.mask, loss.counted?.(prediction)]
    .filter((mask) => mask !== undefined)
    .map((mask) => spread(math, mask, numbers));
  const [one, other] = masks;
  if (one === undefined) return math.mean(weighed, all(weighed));
  const kept = other === undefined ? one : math.builder.op("And", [one, other]);
  const size = (value: Value): Value => math.cast(math.builder.op("Size", [value]), "float32");
  const places = math.sum(math.cast(kept, "float32"), all(kept));
  const count = math.mul(places, math.div(size(numbers), size(kept)));
  const sum = math.sum(math.where(kept, weighed, 0), all(weighed));
  return math.div(sum, math.builder.op("Max", [count, math.scalar(1, count)]));
}

/** A weight [batch, ...] with axes of 1 behind, so that it multiplies numbers of more axes. */
function spread(math: GraphMath, weight: Value, numbers: Value): Value {
  const missing = numbers.shape.length - weight.shape.length;
  if (missing <= 0) return weight;
  const axes = Array.from({ length: missing }, (_, i) => weight.shape.length + i);
  return math.builder.op("Unsqueeze", [weight, math.builder.ints(...axes)]);
}

/** What each output's loss wants to be told, for outputs of these shapes. @throws ShapeError */
export const targetsOf = (
  { outputs }: Objective,
  shapes: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[],
): ReadonlyMap<string, TargetSpec> =>
  new Map(
    outputs.map(({ name, loss }, i) => [name, loss.target(knownShape(shapes[i]?.shape ?? [], `output "${name}"`))]),
  );
