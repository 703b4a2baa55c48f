/** @file How an optimizer is defined: its own rule, around which the settings that all share are chained. */

import type { Schedule } from "../schedules/schedule.ts";
import type { Rate } from "../schedules/table.ts";
import { rate, scheduleOf } from "../schedules/table.ts";
import {
  type ConfigOf,
  type Fields,
  flag,
  fraction,
  numberWhere,
  optional,
  positive,
  size,
  words,
} from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import type { Optimizer } from "./optimizer.ts";
import { accumulate } from "./transforms/accumulate.ts";
import { movingAverage } from "./transforms/average.ts";
import { chain } from "./transforms/chain.ts";
import { clipByGlobalNorm, clipByNorm, clipByValue } from "./transforms/clip.ts";
import { decoupledDecay } from "./transforms/decay.ts";
import { together } from "./transforms/together.ts";

/** Settings that every optimizer takes, as in Keras. */
export interface OptimizerSettings {
  /** A number above 0, or a schedule: `cosineDecay({ ... })`. */
  readonly learningRate?: Rate;
  /** Decoupled: `learningRate * weightDecay * w` is taken off as well. */
  readonly weightDecay?: number;
  /** Parts of the ids of weights that do not decay: ["bias"]. */
  readonly excludeFromWeightDecay?: readonly string[];
  /** Bounds the length of each weight's gradient. */
  readonly clipnorm?: number;
  /** Bounds each element of the gradients. */
  readonly clipvalue?: number;
  /** Bounds the length of all gradients together. */
  readonly globalClipnorm?: number;
  /** Keeps a moving average of the weights: `model.useAveragedWeights()` takes it over. */
  readonly useEma?: boolean;
  /** Of the moving average, 0.99. */
  readonly emaMomentum?: number;
  /** Every so many steps the weights become their average. */
  readonly emaOverwriteFrequency?: number;
  /** Moves the weights by the mean gradient of so many steps. */
  readonly gradientAccumulationSteps?: number;
}

const sharedFields = {
  weightDecay: optional(numberWhere("a number from 0", (value) => value >= 0)),
  excludeFromWeightDecay: words("parts of the ids of weights"),
  clipnorm: optional(positive()),
  clipvalue: optional(positive()),
  globalClipnorm: optional(positive()),
  useEma: flag(false),
  emaMomentum: fraction(0.99),
  emaOverwriteFrequency: optional(size()),
  gradientAccumulationSteps: optional(size()),
} satisfies Fields;

type Shared = ConfigOf<typeof sharedFields>;

/** What is true of one optimizer. */
export interface OptimizerDefinition<F extends Fields> {
  /** Default of the setting. */
  readonly learningRate: number;
  /** Default of the setting; none when left out. */
  readonly weightDecay?: number | null;
  readonly fields: F;
  /** True when each element of a weight moves by itself: small weights are then moved as one. */
  readonly byElement?: boolean;
}

/** A rule with the learning rate as a schedule. */
export function defineOptimizer<F extends Fields>(
  type: string,
  { learningRate, weightDecay = null, fields, byElement = false }: OptimizerDefinition<F>,
  rule: (config: ConfigOf<F>, learningRate: Schedule) => Optimizer,
) {
  const decayField = { ...sharedFields.weightDecay, fallback: weightDecay };
  const all = { learningRate: rate(learningRate), ...fields, ...sharedFields, weightDecay: decayField };
  return defineKind(
    type,
    all,
    (config): Optimizer => {
      // the fields of both halves were read together
      const settings = config as unknown as Shared & ConfigOf<F> & { learningRate: Parameters<typeof scheduleOf>[0] };
      const schedule = scheduleOf(settings.learningRate);
      const own = rule(settings, schedule);
      return withShared(byElement ? together(own) : own, settings, schedule);
    },
    (config, where, problems) => {
      const { clipnorm, clipvalue, globalClipnorm } = config as unknown as Shared;
      const given = Object.entries({ clipnorm, clipvalue, globalClipnorm }).filter(([, value]) => value !== null);
      if (given.length > 1)
        problems.add(where, `expected one way to clip, received ${given.map(([name]) => name).join(" and ")}`);
    },
  );
}

function withShared(rule: Optimizer, settings: Shared, learningRate: Schedule): Optimizer {
  const { clipvalue, clipnorm, globalClipnorm, weightDecay, excludeFromWeightDecay } = settings;
  const { useEma, emaMomentum, emaOverwriteFrequency, gradientAccumulationSteps } = settings;
  const step = chain(
    ...(clipvalue === null ? [] : [clipByValue(clipvalue)]),
    ...(clipnorm === null ? [] : [clipByNorm(clipnorm)]),
    ...(globalClipnorm === null ? [] : [clipByGlobalNorm(globalClipnorm)]),
    weightDecay === null || weightDecay === 0
      ? rule
      : decoupledDecay(weightDecay, learningRate, excludeFromWeightDecay, rule),
    ...(useEma ? [movingAverage(emaMomentum, emaOverwriteFrequency)] : []),
  );
  const every = gradientAccumulationSteps ?? 1;
  return {
    ...(every === 1 ? step : accumulate(every, step)),
    rate: (count, rateFactor) => learningRate(Math.ceil(count / every) - 1) * rateFactor,
  };
}
