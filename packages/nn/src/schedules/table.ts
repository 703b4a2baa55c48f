/** @file Every schedule by the name that specs use, and the setting that is a rate or a schedule. A new one is a file and a line here. */
import { type Field, positive, size } from "../schema/field.ts";
import { defineKind, type KindSpec, type KindTable, kindField, type Made, madeFrom } from "../schema/kind.ts";
import { cosineDecay, cosineDecayRestarts, inverseSquareRoot, oneCycle } from "./cosine.ts";
import { exponentialDecay, inverseTimeDecay, piecewiseConstantDecay, polynomialDecay, stepDecay } from "./decays.ts";
import type { Schedule } from "./schedule.ts";

const plain = {
  exponentialDecay,
  stepDecay,
  inverseTimeDecay,
  polynomialDecay,
  piecewiseConstantDecay,
  cosineDecay,
  cosineDecayRestarts,
  oneCycle,
  inverseSquareRoot,
} satisfies KindTable<Schedule>;

/** What a learning rate may be: a number above 0, a schedule's spec, or a schedule. */
export type Rate = number | KindSpec | Made<Schedule>;

function rateField<D extends number | undefined = undefined>(
  table: KindTable<Schedule>,
  fallback?: D,
): Field<number | KindSpec, NoInfer<D>> {
  const [number, schedule] = [positive(fallback), kindField(table, "a schedule")];
  return {
    expected: `${number.expected}, or a schedule`,
    ...(fallback === undefined ? {} : { fallback }),
    read: (value, where, problems) =>
      typeof value === "number" ? number.read(value, where, problems) : schedule.read(value, where, problems),
  };
}

const scheduleFrom = (table: KindTable<Schedule>, rate: number | KindSpec): Schedule =>
  typeof rate === "number" ? () => rate : madeFrom(table, rate);

/** A line from 0 to the rate within `warmupSteps`; then the schedule `learningRate`, which counts from there. */
export const warmup = defineKind(
  "warmup",
  { learningRate: rateField(plain), warmupSteps: size() },
  ({ learningRate, warmupSteps }): Schedule => {
    const after = scheduleFrom(plain, learningRate);
    const top = after(0);
    return (step) => (step < warmupSteps ? (top * (step + 1)) / warmupSteps : after(step - warmupSteps));
  },
);

/** Every schedule. */
export const schedules = { ...plain, warmup } satisfies KindTable<Schedule>;

/** The name of a schedule. */
export type ScheduleName = keyof typeof schedules;

/** A setting that is a number above 0 or a schedule. */
export const rate = <D extends number | undefined = undefined>(fallback?: D): Field<number | KindSpec, NoInfer<D>> =>
  rateField(schedules, fallback);

/** The schedule that a rate, already read, is; a number is the same at each step. */
export const scheduleOf = (rate: number | KindSpec): Schedule => scheduleFrom(schedules, rate);
