import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { NnError } from "../errors.ts";
import { isRecord } from "../schema/problems.ts";
import type { Callback } from "../training/control.ts";
import { type EpochResult, historyOf } from "../training/history.ts";
import { Monitor, type MonitorOptions, numberOf } from "./monitor.ts";

/** Settings of `modelCheckpoint` beside the path. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /** Writes only epochs that are better than all before, false. */
  readonly saveBestOnly?: boolean;
  /** Writes every so many epochs, 1. */
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

/** Writes a file so that it is whole or not there, whenever the process or the machine stops. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
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
      if (saveBestOnly) {
        const value = monitor.of(result);
        const known = control.recall();
        if (!monitor.isBetter(value, numberOf(isRecord(known) ? known["best"] : null))) return;
        control.remember({ best: value });
      }
      if (result.epoch % every === 0) await writeWhole(pathOf(path, result), control.save());
    },
  };
}
