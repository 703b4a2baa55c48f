import { ShapeError, type Value } from "@gristmill/onnx";
import { NnError } from "../../errors.ts";
import type { GraphMath } from "../../graph/graph-math.ts";
import { flag, oneOf, optional, size } from "../../schema/field.ts";
import { defineKind } from "../../schema/kind.ts";
import type { Loss, Prediction } from "../loss.ts";
import { logProbabilities } from "../probabilities.ts";
import { occupancy } from "./occupancy.ts";
import { impossible, statesOf } from "./states.ts";
import { stopGradient } from "./stop-gradient.ts";

/** Logarithms of probabilities [batch, time, classes]; what the mask drops is 0 and moves nothing. */
function heardLogs(prediction: Prediction, fromLogits: boolean): Value {
  const { math, logits, mask } = prediction;
  const logs = logProbabilities(prediction, fromLogits && logits?.activation !== "softmax");
  if (mask === undefined) return logs;
  return math.where(math.builder.op("Unsqueeze", [mask, math.builder.ints(2)]), logs, 0);
}

const known = (value: Value, axis: number, what: string): number => {
  const found = value.shape[axis];
  if (typeof found === "number") return found;
  throw new ShapeError("ctc", `expected a known number of ${what}, received [${value.shape.join(", ")}]`);
};

/** bool [time, batch, 1]: which times are no padding. Lengths are counted: padding stands at the end. */
function timesHeard(math: GraphMath, mask: Value, steps: number): Value {
  const { builder } = math;
  const lengths = math.sum(math.cast(mask, "float32"), [1]); // [batch]
  const times = builder.op(
    "Range",
    [0, steps, 1].map((bound) => builder.scalar(bound, "float32")),
  );
  const isBefore = math.less(builder.op("Unsqueeze", [times, builder.ints(1)]), lengths); // [time, batch]
  return builder.op("Unsqueeze", [isBefore, builder.ints(2)]);
}

function lossOf(
  prediction: Prediction,
  settings: { fromLogits: boolean; blank: "first" | "last"; zeroInfinity: boolean },
) {
  const { math, target, mask } = prediction;
  const { builder } = math;
  const logs = heardLogs(prediction, settings.fromLogits);
  const [steps, classes] = [known(logs, 1, "steps"), known(logs, 2, "classes")];
  const labels = known(target, 1, "labels");
  const states = statesOf(math, target, labels, classes, settings.blank === "first" ? 0 : classes - 1);
  const byState = builder.op("MatMul", [logs, math.transpose(states.says, [0, 2, 1])]); // [batch, time, S]
  const isOwn = builder.op("Unsqueeze", [states.isOwn, builder.ints(1)]);
  const says = math.transpose(math.where(isOwn, byState, impossible), [1, 0, 2]); // [time, batch, S]
  const isHeard = mask && timesHeard(math, mask, steps);
  const { logProbability, shares } = occupancy(math, says, isHeard, states, 2 * labels + 1);

  // d loss / d says = -share: so the loss is their product, the shares as if they were fixed, moved to its true value
  const slope = math.neg(math.sum(math.mul(says, stopGradient(math, shares)), [0, 2])); // [batch]
  const isTooLong = math.less(logProbability, impossible / 10); // false for NaN, which is to be seen
  const value = math.where(isTooLong, settings.zeroInfinity ? 0 : -impossible, math.neg(logProbability));
  return math.add(slope, stopGradient(math, math.sub(value, slope)));
}

/**
 * Connectionist temporal classification: `-log(probability that the output spells the labels)`, all ways of spelling them
 * in time together; between two labels there may be blanks, between two equal ones there must be.
 *
 * - Shapes: output [batch, time, classes]; target int32 [batch, labels], each list filled up with -1 or the blank.
 *   Lengths of inputs are those of the output's mask, whose padding stands at the end; without a mask all times count.
 * - Defaults: `blank` "first" (class 0, as in Keras and PyTorch; or "last"); `maxLabels` null: as many as times, which is
 *   slow: say the longest list; `fromLogits` true (an output after a softmax is found out by itself; false for other
 *   probabilities); `zeroInfinity` false.
 * - Labels that don't fit into the times (each label one, each pair of equal ones one more) cost 1e30, or 0 with
 *   `zeroInfinity`, and have no gradient: one such sample spoils the reported loss, never the weights.
 * - No mean over labels: Keras has none, PyTorch's default divides by their number.
 * - ONNX: MatMul, one Scan over time for the ways forward and backward together; the gradient is made of them and takes
 *   no second walk. It cannot itself be differentiated.
 * - Source: Graves and others 2006, "Connectionist temporal classification".
 */
export const ctc = defineKind(
  "ctc",
  {
    blank: oneOf(["first", "last"], "first"),
    maxLabels: optional(size()),
    fromLogits: flag(true),
    zeroInfinity: flag(false),
  },
  ({ maxLabels, ...settings }): Loss => ({
    target(outputShape) {
      const [steps, classes] = outputShape;
      if (outputShape.length !== 2 || steps === undefined || classes === undefined || classes < 2)
        throw new ShapeError(
          "ctc",
          `expected an output of [time, classes] with 2 classes or more, the blank among them, received [${outputShape.join(", ")}]; use a layer that keeps the steps (returnSequences) and dense behind it`,
        );
      return { dtype: "int32", shape: [maxLabels ?? steps], classes, padding: -1, lossShape: [] };
    },
    perAnswer(prediction) {
      if (prediction.logits?.activation === "sigmoid")
        throw new NnError(
          "ctc: expected logits or an output after softmax, received one after sigmoid; take the sigmoid off the last layer",
        );
      return lossOf(prediction, settings);
    },
    usesMask: true,
    accuracy: () => "sparseCategorical",
  }),
);
