/** @file Every metric by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from "./accuracy.ts";
import { falseNegatives, falsePositives, precision, recall, trueNegatives, truePositives } from "./answer-counts.ts";
import { auc } from "./auc.ts";
import { precisionAtRecall, recallAtPrecision, sensitivityAtSpecificity, specificityAtSensitivity } from "./best-at.ts";
import { confusionMatrix, iou, meanIou } from "./confusion.ts";
import { f1Score, fBetaScore } from "./f-score.ts";
import * as means from "./means.ts";
import type { Metric } from "./metric.ts";
import { r2Score } from "./r2-score.ts";

/** Every metric. */
export const metrics = {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  topKCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  truePositives,
  falsePositives,
  trueNegatives,
  falseNegatives,
  precision,
  recall,
  f1Score,
  fBetaScore,
  auc,
  precisionAtRecall,
  recallAtPrecision,
  sensitivityAtSpecificity,
  specificityAtSensitivity,
  confusionMatrix,
  iou,
  meanIou,
  r2Score,
  ...means,
} satisfies KindTable<Metric>;

/** The name of a metric. */
export type MetricName = keyof typeof metrics;
