/** @file What logs say of an epoch. */
import type { LogRow } from "../formats/index.ts";
import { type EpochResult, historyOf } from "../training/history.ts";

/** Every number of the history by its name. */
export const numbersOf = (result: EpochResult): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(historyOf([result]).history).map(([name, [value = Number.NaN]]) => [name, value] as const),
  );

/** An epoch as one row: its number, seconds, and every number of the history. */
export const rowOf = (result: EpochResult): LogRow => ({
  epoch: result.epoch,
  seconds: result.seconds,
  ...numbersOf(result),
});
