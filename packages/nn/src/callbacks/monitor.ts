/** @file Which number a callback looks at, and when it is better. */
import { NnError } from "../errors.ts";
import type { TrainingControl } from "../training/control.ts";
import { type EpochResult, historyOf } from "../training/history.ts";

/** Settings of callbacks that watch a number. */
export interface MonitorOptions {
  /** A number of the history: "valLoss" when left out, "loss", "accuracy", "valAccuracy". */
  readonly monitor?: string;
  /** "auto" (when left out): more is better for accuracies and their like, less for everything else. */
  readonly mode?: "auto" | "min" | "max";
  /** A change that counts, 0. */
  readonly minDelta?: number;
}

const risesByName = /accuracy|auc|precision|recall|f1|fbeta|iou|r2|cosine|positives$/i;

/** A number and its direction. */
export class Monitor {
  readonly name: string;
  readonly #sign: 1 | -1;
  readonly #minDelta: number;

  constructor({ monitor = "valLoss", mode = "auto", minDelta = 0 }: MonitorOptions) {
    if (!(minDelta >= 0)) throw new NnError(`minDelta: expected a number from 0, received ${minDelta}`);
    this.name = monitor;
    this.#sign = mode === "max" || (mode === "auto" && risesByName.test(monitor)) ? 1 : -1;
    this.#minDelta = minDelta;
  }

  /** The number of an epoch; undefined for a validation that this epoch did without. @throws NnError when there is none of this name */
  of(result: EpochResult, { validates }: Pick<TrainingControl, "validates">): number | undefined {
    const { history } = historyOf([result]);
    const value = history[this.name]?.[0];
    if (value === undefined && validates && result.validation === undefined && this.name.startsWith("val"))
      return undefined;
    if (value === undefined)
      throw new NnError(
        `monitor: expected one of ${Object.keys(history).join(", ")}, received "${this.name}"${this.name.startsWith("val") ? "; give fit validationData or validationSplit" : ""}`,
      );
    return value;
  }

  /** True when a number is better than another by what counts; every number is better than none, NaN and infinity never. */
  isBetter(value: number, best: number | null): boolean {
    return Number.isFinite(value) && (best === null || this.#sign * (value - best) > this.#minDelta);
  }
}

/** A remembered number. */
export const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
