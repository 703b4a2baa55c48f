/** @file What a metric is: sums over a batch that add up over batches, and the number that people read of them. */
import type { Value } from "@gristmill/onnx";
import type { AccuracyKind, Prediction } from "../losses/loss.ts";

/** What a metric may look at. No gradient flows through it. */
export interface Observed extends Prediction {
  /** The accuracy that fits the loss. */
  readonly kind: AccuracyKind;
  /** float32, of the answers' shape [batch, ...]: 0 where the mask is false, else 1; undefined when all count. */
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

/** A metric that is the mean of one number per answer. `perAnswer` gives float32 [batch, ...]. */
export const meanMetric = (perAnswer: (observed: Observed) => Value): Metric => ({
  sums(observed) {
    const { math, weights } = observed;
    const numbers = perAnswer(observed);
    const all = (value: Value): Value =>
      math.sum(
        value,
        value.shape.map((_, axis) => axis),
      );
    return weights === undefined
      ? { total: all(numbers), count: math.cast(math.builder.op("Size", [numbers]), "float32") }
      : { total: all(math.mul(numbers, weights)), count: all(weights) };
  },
  value: (sums) => sumOf(sums, "total") / sumOf(sums, "count"),
});
