import { NnError } from "../errors.ts";
import { isRecord } from "../schema/problems.ts";
import type { Callback } from "../training/control.ts";
import { Monitor, type MonitorOptions, numberOf } from "./monitor.ts";

/** Settings of `earlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without anything better after which the training ends, 0. */
  readonly patience?: number;
  /** A number that must be beaten for an epoch to count as better. */
  readonly baseline?: number;
  /** Puts the weights of the best epoch back at the end, false. */
  readonly restoreBestWeights?: boolean;
  /** Epochs before this one (from 1) are not looked at, 1. */
  readonly startFromEpoch?: number;
}

/**
 * Ends a training that gets no better: Keras' rule. What it knows is in checkpoints, the best weights too, so that a resumed
 * training ends where an unbroken one would. A training that is aborted or fails keeps the weights it has.
 *
 * - Defaults: `monitor` "valLoss", `patience` 0, `minDelta` 0. The first epoch never ends a training.
 * @throws NnError for a patience below 0
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { patience = 0, baseline, restoreBestWeights = false, startFromEpoch = 1 } = options;
  if (!Number.isInteger(patience) || patience < 0)
    throw new NnError(`earlyStopping: expected patience to be a whole number from 0, received ${patience}`);
  const monitor = new Monitor(options);
  return {
    name: "earlyStopping",
    onEpochEnd(result, control) {
      if (result.epoch < startFromEpoch) return;
      const value = monitor.of(result, control);
      if (value === undefined) return;
      const known = control.recall();
      const { best = null, wait = 0 } = isRecord(known) ? known : {};
      const isBest = monitor.isBetter(value, numberOf(best));
      // the first epoch is kept even when its number is NaN: something must be put back
      if (restoreBestWeights && (isBest || known === undefined)) control.keepWeights();
      // as Keras: the best is noted in any case, but only what beats the baseline begins the count anew
      const counts = isBest && (baseline === undefined || monitor.isBetter(value, baseline));
      const waited = counts ? 0 : Number(wait) + 1;
      control.remember({ best: isBest ? value : numberOf(best), wait: waited });
      if (!isBest && waited >= patience && result.epoch > 1)
        control.stop(`${monitor.name} has not been better for ${waited} ${waited === 1 ? "epoch" : "epochs"}`);
    },
    onTrainEnd(history, control) {
      if (restoreBestWeights && history !== undefined) control.restoreWeights();
    },
  };
}
