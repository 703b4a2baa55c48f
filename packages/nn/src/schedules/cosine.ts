/** @file Schedules along a cosine. Steps count from 0. */
import { type Field, flag, numberWhere, oneOf, positive, size } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import type { Schedule } from "./schedule.ts";

const notNegative = <D extends number | undefined = undefined>(fallback?: D): Field<number, NoInfer<D>> =>
  numberWhere("a number from 0", (value) => value >= 0, fallback);
const wholeFromZero = (fallback: number) =>
  numberWhere("a whole number from 0", (value) => Number.isInteger(value) && value >= 0, fallback);

const falling = (share: number): number => 0.5 * (1 + Math.cos(Math.PI * share));

/**
 * Half a cosine from `initialLearningRate` down to `alpha` (0) times it within `decaySteps`. With `warmupSteps` a line
 * leads from `initialLearningRate` to `warmupTarget` first, and the cosine begins there.
 *
 * - Source: Loshchilov and Hutter 2016, arXiv:1608.03983, without restarts, as Keras has it. A `warmupTarget` of 0 is none.
 */
export const cosineDecay = defineKind(
  "cosineDecay",
  {
    initialLearningRate: notNegative(),
    decaySteps: size(),
    alpha: notNegative(0),
    warmupTarget: notNegative(0),
    warmupSteps: wholeFromZero(0),
  },
  ({ initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps }): Schedule =>
    (step) => {
      const isWarming = warmupTarget > 0 && warmupSteps > 0;
      if (isWarming && step < warmupSteps)
        return initialLearningRate + ((warmupTarget - initialLearningRate) * step) / warmupSteps;
      const top = isWarming ? warmupTarget : initialLearningRate;
      const share = Math.min(isWarming ? step - warmupSteps : step, decaySteps) / decaySteps;
      return top * ((1 - alpha) * falling(share) + alpha);
    },
);

/**
 * Half cosines one after the other: the first takes `firstDecaySteps`, each next one `tMul` (2) times as long from `mMul`
 * (1) times as high; the lowest point is `alpha` (0) times `initialLearningRate`.
 *
 * - Source: Loshchilov and Hutter 2016, arXiv:1608.03983, as Keras has it.
 */
export const cosineDecayRestarts = defineKind(
  "cosineDecayRestarts",
  {
    initialLearningRate: positive(),
    firstDecaySteps: size(),
    tMul: numberWhere("a number from 1", (value) => value >= 1, 2),
    mMul: positive(1),
    alpha: notNegative(0),
  },
  ({ initialLearningRate, firstDecaySteps, tMul, mMul, alpha }): Schedule =>
    (step) => {
      const done = step / firstDecaySteps;
      // how many restarts came before: the lengths are a geometric series
      const restarts = tMul === 1 ? Math.floor(done) : Math.floor(Math.log(1 - done * (1 - tMul)) / Math.log(tMul));
      const before = tMul === 1 ? restarts : (1 - tMul ** restarts) / (1 - tMul);
      const share = (done - before) / tMul ** restarts;
      return initialLearningRate * ((1 - alpha) * mMul ** restarts * falling(share) + alpha);
    },
);

/**
 * Up from `maxLearningRate / divisor` (25) to `maxLearningRate` in the first `warmUpFraction` (0.3) of `totalSteps`, then
 * down to `1 / finalDivisor` (10,000) of where it began; with `threePhase` first back to where it began, as long as it
 * rose. Along half cosines, or lines with `annealing` "linear".
 *
 * - Source: Smith and Topin 2017, arXiv:1708.07120, as PyTorch's OneCycleLR has it.
 */
export const oneCycle = defineKind(
  "oneCycle",
  {
    maxLearningRate: positive(),
    totalSteps: numberWhere("a whole number from 2", (value) => Number.isInteger(value) && value >= 2),
    warmUpFraction: numberWhere("a number above 0 and below 1", (value) => value > 0 && value < 1, 0.3),
    annealing: oneOf(["cosine", "linear"], "cosine"),
    divisor: positive(25),
    finalDivisor: positive(10_000),
    threePhase: flag(false),
  },
  ({ maxLearningRate: top, totalSteps, warmUpFraction, annealing, divisor, finalDivisor, threePhase }): Schedule => {
    const start = top / divisor;
    const end = start / finalDivisor;
    const last = totalSteps - 1;
    const rise = warmUpFraction * totalSteps - 1;
    const phases = threePhase
      ? [
          { until: rise, from: start, to: top },
          { until: 2 * rise, from: top, to: start },
          { until: last, from: start, to: end },
        ]
      : [
          { until: rise, from: start, to: top },
          { until: last, from: top, to: end },
        ];
    const left = annealing === "cosine" ? falling : (share: number): number => 1 - share;
    return (step) => {
      const at = Math.min(step, last);
      const found = phases.findIndex(({ until }) => at <= until);
      const place = found < 0 ? phases.length - 1 : found;
      const { until, from, to } = phases[place] ?? { until: last, from: start, to: end };
      const begin = phases[place - 1]?.until ?? 0;
      const share = until <= begin ? 1 : (at - begin) / (until - begin);
      return to + (from - to) * left(share);
    };
  },
);

/** A line from 0 to `learningRate` within `warmupSteps`, then `learningRate * sqrt(warmupSteps / step)`: for Transformers. */
export const inverseSquareRoot = defineKind(
  "inverseSquareRoot",
  { learningRate: positive(), warmupSteps: size() },
  ({ learningRate, warmupSteps }): Schedule =>
    (step) =>
      learningRate * Math.min((step + 1) / warmupSteps, Math.sqrt(warmupSteps / (step + 1))),
);
