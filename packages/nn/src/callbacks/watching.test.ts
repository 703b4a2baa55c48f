/** @file Callbacks that watch a number, on numbers that are given: what Keras' rules make of them. */
import { describe, expect, it } from "vitest";
import { Callbacks } from "../training/callbacks.ts";
import { type Callback, emptyMemory } from "../training/control.ts";
import { type EpochResult, historyOf } from "../training/history.ts";
import type { TrainingState } from "../training/state.ts";
import { type EarlyStoppingOptions, earlyStopping } from "./early-stopping.ts";
import { learningRateByEpoch, type PlateauOptions, reduceLearningRateOnPlateau } from "./reduce-on-plateau.ts";

const epochOf = (epoch: number, valLoss: number | undefined, metrics: Record<string, number> = {}): EpochResult => ({
  epoch,
  loss: 1,
  metrics,
  validation: valLoss === undefined ? undefined : { loss: valLoss, metrics: {} },
  steps: 1,
  samples: 1,
  seconds: 1,
  samplesPerSecond: 1,
  learningRate: 0.1,
});

/** A training of one weight, which has the epoch's number as its value. */
async function follow(callback: Callback, epochs: readonly EpochResult[], initialEpoch = 0) {
  const state: TrainingState = {
    arrays: new Map([["w", new Float32Array(1)]]),
    step: 0,
    epoch: 0,
    rateFactor: 1,
    memory: emptyMemory(),
  };
  const place = { epoch: initialEpoch, validates: true };
  const callbacks = new Callbacks({ state, weights: ["w"], save: () => new Uint8Array() }, place, [callback]);
  await callbacks.begin();
  const first = state.rateFactor;
  const factors: number[] = [];
  let stopped: number | undefined;
  for (const result of epochs) {
    state.arrays.get("w")?.fill(result.epoch);
    place.epoch = result.epoch;
    await callbacks.epochEnd(result);
    factors.push(state.rateFactor);
    // as a file would keep it between two trainings
    for (const [name, note] of state.memory.notes) state.memory.notes.set(name, JSON.parse(JSON.stringify(note)));
    if (callbacks.stopped === undefined) continue;
    stopped = result.epoch;
    break;
  }
  await callbacks.end(historyOf(epochs));
  return { stopped, reason: callbacks.stopped, first, factors, weight: state.arrays.get("w")?.[0] };
}

const losses = (...values: (number | undefined)[]): EpochResult[] => values.map((value, i) => epochOf(i + 1, value));
const { NaN: none } = Number;

describe("early stopping", () => {
  it.each<[string, EarlyStoppingOptions, (number | undefined)[], number | undefined]>([
    ["without patience, at the first that is no better", {}, [3, 2, 2, 1], 3],
    ["patience 1 is the same", { patience: 1 }, [3, 2, 2, 1], 3],
    ["patience counts anew after a better one", { patience: 2 }, [3, 2, 2, 1, 1, 1, 1], 6],
    ["not when each is better", { patience: 1 }, [5, 4, 3, 2], undefined],
    ["a change of minDelta itself is none", { minDelta: 0.5 }, [3, 2.5, 1], 2],
    ["a change above it is one", { minDelta: 0.5 }, [3, 2.25, 1.5, 1.5], 4],
    ["never at the first epoch", { baseline: 1 }, [3, 3, 3], 2],
    ["better ones go on, whatever the baseline", { baseline: 1, patience: 2 }, [3, 2, 1.5, 1.4, 1.4], 5],
    ["what beats the baseline counts anew", { baseline: 2, patience: 2 }, [3, 1, 1, 1, 1], 4],
    ["not before startFromEpoch", { startFromEpoch: 3 }, [1, 1, 5, 5, 5], 4],
    ["NaN is never better", { patience: 2 }, [none, none, 1], 2],
    ["a number is better than NaN", { patience: 3 }, [none, none, 1, 2, 2, 2, 2], 6],
    ["infinity is never better", { mode: "max", patience: 1 }, [1, Number.POSITIVE_INFINITY], 2],
    ["more can be better", { mode: "max", patience: 1 }, [1, 2, 3, 3], 4],
    ["epochs without validation are not counted", { patience: 1 }, [3, undefined, 2, undefined, 2], 5],
  ])("stops %s", async (_, options, values, expected) => {
    const { stopped, reason } = await follow(earlyStopping(options), losses(...values));
    expect(stopped).toBe(expected);
    if (expected !== undefined) expect(reason).toMatch(/valLoss has not been better for \d epochs?/);
  });

  it.each<[number[], number]>([
    [[3, 1, 2, 2], 2],
    [[none, none], 1], // something is put back
    [[none, 4, 5, 5], 2],
  ])("puts the weights of the best epoch back: %j", async (values, best) => {
    expect((await follow(earlyStopping({ patience: 2, restoreBestWeights: true }), losses(...values))).weight).toBe(
      best,
    );
    expect((await follow(earlyStopping({ patience: 2 }), losses(...values))).weight).toBe(values.length);
  });

  it("knows by its name whether more is better", async () => {
    const rising = [1, 2, 3].map((value) => epochOf(value, 1, { accuracy: value, hinge: value }));
    expect((await follow(earlyStopping({ monitor: "accuracy" }), rising)).stopped).toBeUndefined();
    expect((await follow(earlyStopping({ monitor: "hinge" }), rising)).stopped).toBe(2);
  });

  it("says what is wrong", async () => {
    expect(() => earlyStopping({ patience: -1 })).toThrow("expected patience to be a whole number from 0, received -1");
    expect(() => earlyStopping({ minDelta: none })).toThrow("minDelta: expected a number from 0, received NaN");
    await expect(follow(earlyStopping({ monitor: "vaLoss" }), losses(1))).rejects.toThrow(
      'monitor: expected one of loss, learningRate, valLoss, received "vaLoss"',
    );
  });
});

describe("a plateau", () => {
  it.each<[string, PlateauOptions, number[], number[]]>([
    ["after its patience, again and again", { factor: 0.5, patience: 2 }, [1, 1, 1, 1, 1], [1, 1, 0.5, 0.5, 0.25]],
    ["no more in the cooldown", { factor: 0.5, patience: 1, cooldown: 2 }, [1, 1, 1, 1, 1], [1, 0.5, 0.5, 0.25, 0.25]],
    ["at most to the smallest", { factor: 0.1, patience: 1, minFactor: 0.25 }, [1, 1, 1], [1, 0.25, 0.25]],
    ["not for a change above 1e-4", { factor: 0.5, patience: 1 }, [1, 0.9998, 0.9997], [1, 1, 0.5]],
    ["for NaN", { factor: 0.5, patience: 1 }, [1, none, 0.5], [1, 0.5, 0.5]],
    ["never to 0", { factor: 1e-20, patience: 1 }, [1, 1, 1, 1], [1, 1e-20, 1e-30, 1e-30]],
  ])("lowers the rate %s", async (_, options, values, factors) => {
    expect((await follow(reduceLearningRateOnPlateau(options), losses(...values))).factors).toEqual(factors);
  });

  it("says what is wrong", () => {
    expect(() => reduceLearningRateOnPlateau({ factor: 1 })).toThrow("expected factor between 0 and 1, received 1");
    expect(() => reduceLearningRateOnPlateau({ patience: 1.5 })).toThrow("expected patience to be a whole number");
    expect(() => reduceLearningRateOnPlateau({ minFactor: 2 })).toThrow("expected minFactor from 0 to 1, received 2");
  });
});

describe("a learning rate by the epoch", () => {
  it("is that of the epoch that comes, also in a training that goes on", async () => {
    const callback = learningRateByEpoch((epoch) => 1 / epoch);
    expect(await follow(callback, losses(1, 1))).toMatchObject({ first: 1, factors: [1 / 2, 1 / 3] });
    expect(await follow(callback, [epochOf(5, 1)], 4)).toMatchObject({ first: 1 / 5, factors: [1 / 6] });
  });

  it("must be above 0", async () => {
    await expect(
      follow(
        learningRateByEpoch(() => 0),
        losses(1),
      ),
    ).rejects.toThrow("expected a factor above 0, received 0");
  });
});
