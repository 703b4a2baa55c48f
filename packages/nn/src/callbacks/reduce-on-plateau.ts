import { NnError } from "../errors.ts";
import { isRecord } from "../schema/problems.ts";
import type { Callback } from "../training/control.ts";
import { Monitor, type MonitorOptions, numberOf } from "./monitor.ts";

/** Settings of `reduceLearningRateOnPlateau`. */
export interface PlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied by, 0.1. */
  readonly factor?: number;
  /** Epochs without anything better before that, 10. */
  readonly patience?: number;
  /** Epochs after it in which nothing is counted, 0. */
  readonly cooldown?: number;
  /** The smallest share of the first learning rate, 0. */
  readonly minFactor?: number;
}

// no learning rate is felt below; 0 would be refused
const leastFactor = 1e-30;

/**
 * Lowers the learning rate when a number gets no better: Keras' rule, by factor instead of rate. The factor and the counts
 * are in checkpoints.
 *
 * - Defaults: `factor` 0.1, `patience` 10, `minDelta` 0.0001, `cooldown` 0, `minFactor` 0.
 * @throws NnError for a factor that is not between 0 and 1
 */
export function reduceLearningRateOnPlateau(options: PlateauOptions = {}): Callback {
  const { factor = 0.1, patience = 10, cooldown = 0, minFactor = 0, minDelta = 1e-4 } = options;
  if (!(factor > 0 && factor < 1))
    throw new NnError(`reduceLearningRateOnPlateau: expected factor between 0 and 1, received ${factor}`);
  if (!(minFactor >= 0 && minFactor <= 1))
    throw new NnError(`reduceLearningRateOnPlateau: expected minFactor from 0 to 1, received ${minFactor}`);
  for (const [name, value] of Object.entries({ patience, cooldown }))
    if (!Number.isInteger(value) || value < 0)
      throw new NnError(`reduceLearningRateOnPlateau: expected ${name} to be a whole number from 0, received ${value}`);
  const least = Math.max(minFactor, leastFactor);
  const monitor = new Monitor({ ...options, minDelta });
  return {
    name: "reduceLearningRateOnPlateau",
    onEpochEnd(result, control) {
      const value = monitor.of(result, control);
      if (value === undefined) return;
      const known = control.recall();
      const before = isRecord(known) ? known : {};
      let [best, wait, rest] = [numberOf(before["best"]), Number(before["wait"] ?? 0), Number(before["cooldown"] ?? 0)];
      if (rest > 0) [rest, wait] = [rest - 1, 0];
      if (monitor.isBetter(value, best)) [best, wait] = [value, 0];
      else if (rest === 0) {
        wait++;
        if (wait >= patience && control.rateFactor > least) {
          control.rateFactor = Math.max(control.rateFactor * factor, least);
          [rest, wait] = [cooldown, 0];
        }
      }
      control.remember({ best, wait, cooldown: rest });
    },
  };
}

/** Multiplies the learning rate by `factorOf(epoch)`, with epochs from 1, in place of what other callbacks made of it. */
export const learningRateByEpoch = (factorOf: (epoch: number) => number): Callback => {
  const set = (factor: number): number => {
    if (factor > 0 && factor < Number.POSITIVE_INFINITY) return factor;
    throw new NnError(`learningRateByEpoch: expected a factor above 0, received ${factor}`);
  };
  return {
    name: "learningRateByEpoch",
    onTrainBegin(control) {
      control.rateFactor = set(factorOf(control.epoch + 1));
    },
    onEpochEnd({ epoch }, control) {
      control.rateFactor = set(factorOf(epoch + 1));
    },
  };
};
