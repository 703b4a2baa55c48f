/** @file What a metric is: one number per sample, whose mean people read. No gradient flows through it. */
import type { Value } from "@gristmill/onnx";
import type { AccuracyKind, Prediction } from "../losses/loss.ts";

/** A metric. */
export interface Metric {
  /** float32 [batch] */
  perSample(prediction: Prediction, accuracy: AccuracyKind): Value;
}
