import { NnError } from "../errors.ts";
import { isRecord } from "../schema/problems.ts";
import type { Callback } from "../training/control.ts";
import { type EpochResult, historyOf } from "../training/history.ts";
import { Monitor, type MonitorOptions, numberOf } from "./monitor.ts";
import { writeWhole } from "./whole-file.ts";

/** Settings of `modelCheckpoint` beside the path. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /** Writes only epochs that are better than all that were looked at before, false. */
  readonly saveBestOnly?: boolean;
  /** Looks every so many epochs, 1. */
  readonly every?: number;
}

/** "{epoch}" and numbers of the history, such as "{valLoss}", in a path. @throws NnError for other names */
function pathOf(pattern: string, result: EpochResult): string {
  const { history } = historyOf([result]);
  return pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === "epoch") return String(result.epoch).padStart(3, "0");
    const value = history[name]?.[0];
    if (value === undefined)
      throw new NnError(
        `modelCheckpoint: expected {epoch} or one of ${Object.keys(history).join(", ")} in the path, received {${name}}`,
      );
    return value.toFixed(4);
  });
}

/**
 * Saves the model after epochs: `Model.load` and `fit` go on from the file as if nothing had happened. Give it last, so that
 * what the other callbacks know is in the file.
 *
 * - `path`: "{epoch}" and numbers of the history are filled in: "run/model-{epoch}-{valLoss}.nn". Written whole or not at all.
 * @throws NnError for names that the history does not have
 */
export function modelCheckpoint(path: string, options: ModelCheckpointOptions = {}): Callback {
  const { saveBestOnly = false, every = 1 } = options;
  if (!Number.isInteger(every) || every < 1)
    throw new NnError(`modelCheckpoint: expected every to be a whole number from 1, received ${every}`);
  const monitor = new Monitor(options);
  return {
    name: `modelCheckpoint ${path}`,
    async onEpochEnd(result, control) {
      if (result.epoch % every !== 0) return;
      if (saveBestOnly) {
        const value = monitor.of(result, control);
        if (value === undefined) return;
        const known = control.recall();
        if (!monitor.isBetter(value, numberOf(isRecord(known) ? known["best"] : null))) return;
        control.remember({ best: value });
      }
      await writeWhole(pathOf(path, result), control.save());
    },
  };
}
