import { describe } from "vitest";
import { reduceLearningRateOnPlateau } from "../callbacks/reduce-on-plateau.ts";
import type { Json } from "../schema/field.ts";
import { type GoldenCase, goldenFile, goldenTests, type Mismatches, mismatches } from "../testing/golden.ts";
import { exceptions } from "./exceptions.ts";

/** A loss, epoch by epoch, and the learning rate after each; Keras' settings, whose first rate is 1. */
interface PlateauGolden extends GoldenCase {
  readonly callback: {
    readonly factor: number;
    readonly patience: number;
    readonly cooldown?: number;
    readonly minDelta?: number;
    readonly minLearningRate?: number;
  };
  readonly monitored: readonly number[];
  readonly values: readonly number[];
}

/** Keras keeps the rate in float32. */
const tolerance = 1e-7;

async function check(one: PlateauGolden): Promise<Mismatches> {
  const { minLearningRate, ...settings } = one.callback;
  const callback = reduceLearningRateOnPlateau({
    monitor: "loss",
    ...settings,
    ...(minLearningRate === undefined ? {} : { minFactor: minLearningRate }),
  });
  let remembered: Json | undefined;
  const control = {
    epoch: 0,
    validates: false,
    step: 0,
    rateFactor: 1,
    stop: () => {},
    recall: () => remembered,
    remember: (value: Json): void => {
      remembered = value;
    },
    keepWeights: () => {},
    restoreWeights: () => {},
    save: () => new Uint8Array(),
    weights: () => [],
  };
  const rates: number[] = [];
  for (const [i, loss] of one.monitored.entries()) {
    control.epoch = i + 1;
    const counts = { steps: 1, samples: 1, seconds: 1, samplesPerSecond: 1 };
    await callback.onEpochEnd?.(
      { epoch: i + 1, loss, metrics: {}, validation: undefined, learningRate: control.rateFactor, ...counts },
      control,
    );
    rates.push(control.rateFactor);
  }
  const shape = [rates.length];
  return mismatches("rates", { shape, data: Float64Array.from(rates) }, { shape, data: one.values }, tolerance);
}

const family = "plateaus";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<PlateauGolden>(family), exceptions[family] ?? {}, check));
