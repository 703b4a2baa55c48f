/** @file Schedules that fall: Keras' names, settings and formulas. Steps count from 0. */
import { type Field, flag, listOf, numberWhere, positive, size } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import type { Schedule } from "./schedule.ts";

const notNegative = <D extends number | undefined = undefined>(fallback?: D): Field<number, NoInfer<D>> =>
  numberWhere("a number from 0", (value) => value >= 0, fallback);

/** `initialLearningRate * decayRate ^ (step / decaySteps)`; with `staircase` the exponent is a whole number. */
export const exponentialDecay = defineKind(
  "exponentialDecay",
  { initialLearningRate: positive(), decaySteps: size(), decayRate: positive(), staircase: flag(false) },
  ({ initialLearningRate, decaySteps, decayRate, staircase }): Schedule =>
    (step) => {
      const periods = step / decaySteps;
      return initialLearningRate * decayRate ** (staircase ? Math.floor(periods) : periods);
    },
);

/** `initialLearningRate * gamma ^ floor(step / stepSize)`: PyTorch's StepLR, counted in steps; `gamma` 0.1. */
export const stepDecay = defineKind(
  "stepDecay",
  { initialLearningRate: positive(), stepSize: size(), gamma: positive(0.1) },
  ({ initialLearningRate, stepSize, gamma }): Schedule =>
    (step) =>
      initialLearningRate * gamma ** Math.floor(step / stepSize),
);

/** `initialLearningRate / (1 + decayRate * step / decaySteps)`; with `staircase` the quotient is a whole number. */
export const inverseTimeDecay = defineKind(
  "inverseTimeDecay",
  { initialLearningRate: positive(), decaySteps: size(), decayRate: positive(), staircase: flag(false) },
  ({ initialLearningRate, decaySteps, decayRate, staircase }): Schedule =>
    (step) => {
      const periods = step / decaySteps;
      return initialLearningRate / (1 + decayRate * (staircase ? Math.floor(periods) : periods));
    },
);

/**
 * From `initialLearningRate` to `endLearningRate` (0.0001) within `decaySteps`, along (1 - share)^`power` (1, a line); with
 * `cycle` it begins anew over ever longer stretches.
 */
export const polynomialDecay = defineKind(
  "polynomialDecay",
  {
    initialLearningRate: positive(),
    decaySteps: size(),
    endLearningRate: notNegative(0.0001),
    power: positive(1),
    cycle: flag(false),
  },
  ({ initialLearningRate, decaySteps, endLearningRate, power, cycle }): Schedule =>
    (step) => {
      const length = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
      const left = 1 - Math.min(step, length) / length;
      return (initialLearningRate - endLearningRate) * left ** power + endLearningRate;
    },
);

/** `values[i]` up to and with step `boundaries[i]`, the last value after that: one value more than boundaries. */
export const piecewiseConstantDecay = defineKind(
  "piecewiseConstantDecay",
  { boundaries: listOf("whole numbers from 0, rising", isRising), values: listOf("numbers above 0", isPositive) },
  ({ boundaries, values }): Schedule =>
    (step) => {
      const place = boundaries.findIndex((boundary) => step <= boundary);
      return values[place < 0 ? boundaries.length : place] ?? values.at(-1) ?? 0;
    },
  ({ boundaries, values }, where, problems) => {
    if (values.length !== boundaries.length + 1)
      problems.add(
        `${where}.values`,
        `expected one value more than boundaries (${boundaries.length + 1}), received ${values.length}`,
      );
  },
);

function isRising(list: readonly number[]): boolean {
  return list.every((value, i) => Number.isInteger(value) && value >= 0 && (i === 0 || value > (list[i - 1] ?? 0)));
}

function isPositive(list: readonly number[]): boolean {
  return list.length > 0 && list.every((value) => value > 0);
}
