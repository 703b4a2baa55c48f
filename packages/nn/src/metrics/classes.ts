/** @file What an output and its target say about classes, whichever way they say it. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { oneHot } from "../losses/probabilities.ts";
import type { Observed } from "./metric.ts";

/** Numbers on the last axis of the output. @throws ShapeError when only the run knows how many. */
export function widthOf({ output }: Observed): number {
  const width = output.shape.at(-1);
  if (typeof width === "number") return width;
  throw new ShapeError("metric", `expected an output whose last axis is known, received [${output.shape.join(", ")}]`);
}

/** Classes of an output. @throws ShapeError when it says a single number. */
export function classCount(observed: Observed, metric: string): number {
  const width = widthOf(observed);
  if (width > 1) return width;
  throw new ShapeError(
    metric,
    `expected an output with one number per class (2 or more), received [${observed.output.shape.join(", ")}]; for one output use the metrics of yes-or-no answers (binaryAccuracy, precision, recall, auc)`,
  );
}

/** True where the target is a label, one axis less than the output. */
export const isSparse = ({ output, target }: Observed): boolean => target.shape.length < output.shape.length;

/** int64 [batch, ...]: the place of the largest number on the last axis, the first of those that tie. */
export const largest = (math: GraphMath, value: Value): Value =>
  math.builder.op("ArgMax", [value], { axis: -1, keepdims: 0 });

/** int64 [batch, ...]: the true class, from labels or from the largest share. */
export const trueLabels = (observed: Observed): Value =>
  isSparse(observed) ? observed.math.cast(observed.target, "int64") : largest(observed.math, observed.target);

/** int64 [batch, ...]: the class that the model says. Softmax keeps the order, so its logits say the same, cheaper. */
export const saidLabels = ({ math, logits, output }: Observed): Value =>
  largest(math, logits?.activation === "softmax" ? logits.value : output);

/** float32 [batch, ..., outputs]: the true answer of each output, 0 or 1 or between; labels as one-hot. */
export const trueShares = (observed: Observed): Value =>
  isSparse(observed) ? oneHot(observed.math, trueLabels(observed), widthOf(observed)) : observed.target;

/** bool [batch, ..., outputs]: where the true answer is yes. */
export const trueAnswers = (observed: Observed): Value => observed.math.greater(trueShares(observed), 0.5);
