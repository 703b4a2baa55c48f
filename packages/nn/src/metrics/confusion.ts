/** @file Which class is taken for which, and how far the two of each class overlap. */
import { ShapeError, type Value } from "@gristmill/onnx";
import { listOf, optional, size } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { saidLabels, trueAnswers, trueLabels, widthOf } from "./classes.ts";
import { histogram } from "./histogram.ts";
import { type Metric, numbersOf, type Observed, type Sums } from "./metric.ts";

/** int64 [batch, ...]: true and said classes; of a single output no is class 0 and yes class 1. */
function labelsOf(observed: Observed): { truth: Value; said: Value; classes: number } {
  const width = widthOf(observed);
  if (width > 1) return { truth: trueLabels(observed), said: saidLabels(observed), classes: width };
  const { math, output } = observed;
  const last = math.builder.ints(output.shape.length - 1);
  const label = (isYes: Value): Value => math.builder.op("Squeeze", [math.cast(isYes, "int64"), last]);
  return { truth: label(trueAnswers(observed)), said: label(math.greater(output, 0.5)), classes: 2 };
}

/** float32 [classes · classes]: rows are true classes, columns said ones. Labels that are no class do not count. */
function confusion(observed: Observed, numClasses: number | null, metric: string): Value {
  const { math } = observed;
  const { truth, said, classes } = labelsOf(observed);
  if (numClasses !== null && numClasses !== classes)
    throw new ShapeError(
      metric,
      `expected an output of numClasses ${numClasses}, received one of ${classes} classes; leave numClasses out`,
    );
  const isClass = math.builder.op("And", [
    math.builder.op("GreaterOrEqual", [truth, math.scalar(0, truth)]),
    math.less(truth, classes),
  ]);
  const place = math.add(math.mul(truth, classes), said);
  return histogram(observed, math.where(isClass, place, -1), classes * classes);
}

function rowsOf(sums: Sums): number[][] {
  const counts = numbersOf(sums, "pairs");
  const classes = Math.sqrt(counts.length);
  return Array.from({ length: classes }, (_, row) => counts.slice(row * classes, (row + 1) * classes));
}

const add = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0);

/**
 * A table of counts: a row for each true class, a column for each that the model says. Its value is the share of right
 * answers, what stands on the diagonal.
 *
 * - Targets labels or one-hot; one output of yes-or-no answers is taken as two classes, by 0.5.
 * - Defaults: `numClasses` null, as many as there are outputs.
 */
export const confusionMatrix = defineKind(
  "confusionMatrix",
  { numClasses: optional(size()) },
  ({ numClasses }): Metric => ({
    sums: (observed) => ({ pairs: confusion(observed, numClasses, "confusionMatrix") }),
    value(sums) {
      const rows = rowsOf(sums);
      return add(rows.map((row, i) => row[i] ?? 0)) / add(rows.map(add));
    },
    table: rowsOf,
  }),
);

/** Of each class: answers that are it and are said to be, by answers that are it or are said to be; undefined for none. */
function overlaps(sums: Sums): (number | undefined)[] {
  const rows = rowsOf(sums);
  return rows.map((row, i) => {
    const both = row[i] ?? 0;
    const either = add(row) + add(rows.map((other) => other[i] ?? 0)) - both;
    return either === 0 ? undefined : both / either;
  });
}

const mean = (list: readonly (number | undefined)[]): number => {
  const told = list.filter((value) => value !== undefined);
  return add(told) / told.length;
};

/**
 * The mean over classes of intersection over union: answers that are the class and are said to be, by answers that are it
 * or are said to be. Classes that never come are left out. Targets and `numClasses` as `confusionMatrix`.
 */
export const meanIou = defineKind(
  "meanIou",
  { numClasses: optional(size()) },
  ({ numClasses }): Metric => ({
    sums: (observed) => ({ pairs: confusion(observed, numClasses, "meanIou") }),
    value: (sums) => mean(overlaps(sums)),
  }),
);

const ids = listOf("classes from 0", (list) => list.length > 0 && list.every((id) => Number.isInteger(id) && id >= 0));

/** As `meanIou`, over the classes of `targetClassIds` (required) alone. */
export const iou = defineKind(
  "iou",
  { targetClassIds: ids, numClasses: optional(size()) },
  ({ targetClassIds, numClasses }): Metric => ({
    sums(observed) {
      const classes = Math.max(2, widthOf(observed));
      if (targetClassIds.some((id) => id >= classes))
        throw new ShapeError(
          "iou",
          `targetClassIds: expected classes from 0 to ${classes - 1}, received [${targetClassIds.join(", ")}]`,
        );
      return { pairs: confusion(observed, numClasses, "iou") };
    },
    value: (sums) => {
      const all = overlaps(sums);
      return mean(targetClassIds.map((id) => all[id]));
    },
  }),
);
