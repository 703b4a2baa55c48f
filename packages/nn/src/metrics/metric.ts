/** @file What a metric is: sums over a batch that add up over batches, and the number that people read of them. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import type { AccuracyKind, Prediction } from "../losses/loss.ts";

/** What a metric may look at. No gradient flows through it. */
export interface Observed extends Prediction {
  /** The accuracy that fits the loss. */
  readonly kind: AccuracyKind;
  /** float32 [batch, steps]: 0 where the mask is false, else 1; undefined when all count. What it drops may be NaN. */
  readonly weights: Value | undefined;
}

/** Sums of batches, added up: row-major numbers by name. */
export type Sums = Readonly<Record<string, Float64Array>>;

/** A metric. */
export interface Metric {
  /** float32 tensors of fixed sizes, by name, over one batch: those of batches are added. */
  sums(observed: Observed): Readonly<Record<string, Value>>;
  /** The number that people read; NaN where nothing was counted. */
  value(sums: Sums): number;
  /** Rows and columns, for metrics that are tables: a confusion matrix. */
  table?(sums: Sums): readonly (readonly number[])[];
}

/** One number of the sums. */
export const sumOf = (sums: Sums, name: string, position = 0): number => sums[name]?.[position] ?? Number.NaN;

/** All numbers of a sum. */
export const numbersOf = (sums: Sums, name: string): readonly number[] => Array.from(sums[name] ?? []);

/** Sum of everything: a scalar. */
export const total = (math: GraphMath, value: Value): Value =>
  math.sum(
    value,
    value.shape.map((_, axis) => axis),
  );

/** bool that broadcasts over numbers [batch, ...]: those that count; undefined when all do. */
function keptOf({ math, weights }: Observed, numbers: Value): Value | undefined {
  if (weights === undefined) return undefined;
  const missing = Math.max(0, numbers.shape.length - weights.shape.length);
  const axes = Array.from({ length: missing }, (_, i) => weights.shape.length + i);
  const kept = math.cast(weights, "bool");
  return missing === 0 ? kept : math.builder.op("Unsqueeze", [kept, math.builder.ints(...axes)]);
}

/** Numbers [batch, ...] with 0 where they do not count. */
export function counted(observed: Observed, numbers: Value): Value {
  const kept = keptOf(observed, numbers);
  return kept === undefined ? numbers : observed.math.where(kept, numbers, 0);
}

/** float32 of the shape of numbers: 1 where they count, else 0. */
export function countsOf(observed: Observed, numbers: Value): Value {
  const { math } = observed;
  return counted(observed, math.builder.op("Expand", [math.builder.scalar(1, "float32"), shapeOf(math, numbers)]));
}

/** The sizes of a value that only the run may know. */
const shapeOf = (math: GraphMath, value: Value): Value => math.builder.op("Shape", [value]);

/** What a metric of means may do otherwise. */
export interface MeanOptions {
  /** bool, of the numbers' shape: those that count beside the mask. */
  readonly only?: ((observed: Observed) => Value) | undefined;
  /** What people read of the mean: its root, its exponential. */
  readonly read?: (mean: number) => number;
}

/** A metric that is the mean of one number per answer. `perAnswer` gives float32 [batch, ...]. */
export const meanMetric = (perAnswer: (observed: Observed) => Value, { only, read }: MeanOptions = {}): Metric => ({
  sums(observed) {
    const { math } = observed;
    const numbers = perAnswer(observed);
    if (observed.weights === undefined && only === undefined)
      return { total: total(math, numbers), count: math.cast(math.builder.op("Size", [numbers]), "float32") };
    const isIn = only?.(observed);
    const choose = (value: Value): Value => (isIn === undefined ? value : math.where(isIn, value, 0));
    return {
      total: total(math, choose(counted(observed, numbers))),
      count: total(math, choose(countsOf(observed, numbers))),
    };
  },
  value(sums) {
    const mean = sumOf(sums, "total") / sumOf(sums, "count");
    return read === undefined ? mean : read(mean);
  },
});
