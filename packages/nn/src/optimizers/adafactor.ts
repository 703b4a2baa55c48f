import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { flag, numberWhere, positive } from "../schema/field.ts";
import type { Made } from "../schema/kind.ts";
import { defineOptimizer, type OptimizerSettings } from "./define-optimizer.ts";
import { asked, type Optimizer, zeroSlots } from "./optimizer.ts";

/** Settings of `adafactor`. */
export interface AdafactorSettings extends OptimizerSettings {
  readonly beta2Decay?: number;
  readonly epsilon1?: number;
  readonly epsilon2?: number;
  readonly clipThreshold?: number;
  readonly relativeStep?: boolean;
}

/** Square root of the mean square of all elements. */
const rootMeanSquare = (math: GraphMath, value: Value): Value =>
  math.sqrt(
    math.mean(
      math.mul(value, value),
      value.shape.map((_, axis) => axis),
    ),
  );

const atLeast = (math: GraphMath, value: Value, least: number): Value =>
  math.builder.op("Max", [value, math.scalar(least, value)]);

/** The table's entry of `adafactor`. */
export const adafactorKind = defineOptimizer(
  "adafactor",
  {
    learningRate: 0.001,
    fields: {
      beta2Decay: numberWhere("a number below 0", (value) => value < 0, -0.8),
      epsilon1: positive(1e-30),
      epsilon2: positive(1e-3),
      clipThreshold: positive(1),
      relativeStep: flag(true),
    },
  },
  ({ beta2Decay, epsilon1, epsilon2, clipThreshold, relativeStep }, learningRate) => ({
    slots(shape) {
      if (shape.length < 2) return zeroSlots(shape, "squares");
      return [
        { name: "rows", shape: shape.slice(0, -1), start: 0 },
        { name: "columns", shape: [...shape.slice(0, -2), shape.at(-1) ?? 1], start: 0 },
      ];
    },
    scalars(step, rateFactor) {
      const rate = learningRate(step - 1) * rateFactor;
      return { rate: relativeStep ? Math.min(rate, 1 / Math.sqrt(step)) : rate, kept: 1 - step ** beta2Decay };
    },
    update: ({ math, weights, scalars }) =>
      weights.map(({ weight, gradient, slots }) => {
        const kept = asked(scalars, "kept");
        const squares = math.add(math.mul(gradient, gradient), epsilon1);
        const rank = weight.shape.length;
        const moving = (slot: string, value: Value): Value =>
          math.add(math.mul(asked(slots, slot), kept), math.mul(value, math.sub(1, kept)));
        const [inverseRoot, next] =
          rank < 2 ? plainRoot(math, moving("squares", squares)) : factoredRoot(math, rank, squares, moving);
        const scaled = math.mul(gradient, inverseRoot);
        const length = atLeast(math, math.div(rootMeanSquare(math, scaled), clipThreshold), 1);
        const rate = math.mul(atLeast(math, rootMeanSquare(math, weight), epsilon2), asked(scalars, "rate"));
        return { move: math.mul(scaled, math.div(rate, length)), slots: next };
      }),
  }),
);

const plainRoot = (math: GraphMath, squares: Value): [Value, Record<string, Value>] => [
  math.div(1, math.sqrt(squares)),
  { squares },
];

/** The mean square of each element from those of its row and column: their product by the mean of all rows. */
function factoredRoot(
  math: GraphMath,
  rank: number,
  squares: Value,
  moving: (slot: string, value: Value) => Value,
): [Value, Record<string, Value>] {
  const rows = moving("rows", math.mean(squares, [rank - 1]));
  const columns = moving("columns", math.mean(squares, [rank - 2]));
  const axis = (place: number): Value => math.builder.ints(place);
  const share = math.div(rows, math.mean(rows, [rank - 2], true));
  const root = (value: Value, place: number): Value =>
    math.builder.op("Unsqueeze", [math.div(1, math.sqrt(value)), axis(place)]);
  return [math.mul(root(share, rank - 1), root(columns, rank - 2)), { rows, columns }];
}

/**
 * Adam's division by mean squares in the memory of one row and one column per matrix; steps are as large as the weights are.
 *
 * - Defaults: `learningRate` 0.001, `beta2Decay` -0.8, `epsilon1` 1e-30, `epsilon2` 1e-3, `clipThreshold` 1, `relativeStep` true
 *   (the rate is at most 1 / sqrt(t)).
 * - Remembers rows + columns values of a weight of two or more axes, all of one axis. Rows and columns are those in which
 *   the weight is kept (storage.ts): for convolutions they are other ones than Keras'.
 * - Source: Shazeer and Stern 2018, arXiv:1804.04235, as Keras has it.
 */
export const adafactor = (settings: AdafactorSettings = {}): Made<Optimizer> => adafactorKind({ ...settings });
