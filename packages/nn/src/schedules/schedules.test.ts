import { describe, expect, it } from "vitest";
import { NnError } from "../errors.ts";
import type { KindSpec } from "../schema/kind.ts";
import { cosineDecay } from "./cosine.ts";
import { scheduleOf, schedules, warmup } from "./table.ts";

const at = (spec: KindSpec, ...steps: number[]): number[] => steps.map(scheduleOf(spec));
const close = (received: readonly number[], expected: readonly number[]): void =>
  expected.forEach((value, i) => void expect(received[i]).toBeCloseTo(value, 9));

describe("schedules", () => {
  it("fall as their formulas say", () => {
    close(
      at({ type: "exponentialDecay", initialLearningRate: 1, decaySteps: 2, decayRate: 0.25 }, 0, 1, 2),
      [1, 0.5, 0.25],
    );
    close(at({ type: "stepDecay", initialLearningRate: 1, stepSize: 2 }, 0, 1, 2, 4), [1, 1, 0.1, 0.01]);
    close(
      at({ type: "inverseTimeDecay", initialLearningRate: 1, decaySteps: 1, decayRate: 1 }, 0, 1, 3),
      [1, 0.5, 0.25],
    );
    close(
      at({ type: "polynomialDecay", initialLearningRate: 1, decaySteps: 4, endLearningRate: 0 }, 0, 1, 4, 9),
      [1, 0.75, 0, 0],
    );
    close(
      at({ type: "piecewiseConstantDecay", boundaries: [1, 3], values: [3, 2, 1] }, 0, 1, 2, 3, 4),
      [3, 3, 2, 2, 1],
    );
    close(at({ type: "inverseSquareRoot", learningRate: 2, warmupSteps: 4 }, 0, 3, 15), [0.5, 2, 1]);
  });

  it("go along cosines", () => {
    close(at({ type: "cosineDecay", initialLearningRate: 1, decaySteps: 2 }, 0, 1, 2, 5), [1, 0.5, 0, 0]);
    const warmed = { type: "cosineDecay", initialLearningRate: 0, decaySteps: 2, warmupTarget: 1, warmupSteps: 2 };
    close(at(warmed, 0, 1, 2, 3, 4), [0, 0.5, 1, 0.5, 0]);
    close(
      at({ type: "cosineDecayRestarts", initialLearningRate: 1, firstDecaySteps: 2 }, 0, 1, 2, 4, 6),
      [1, 0.5, 1, 0.5, 1],
    );
    const cycle = at({ type: "oneCycle", maxLearningRate: 1, totalSteps: 10 }, 0, 2, 9, 20);
    close(cycle, [1 / 25, 1, 1 / 250_000, 1 / 250_000]);
  });

  it("warm up before a schedule that counts from there", () => {
    const inner = { type: "exponentialDecay", initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 };
    close(at(warmup({ learningRate: inner, warmupSteps: 4 }).spec, 0, 1, 3, 4, 5, 6), [0.25, 0.5, 1, 1, 0.5, 0.25]);
  });

  it("are never negative or infinite, however long they run", () => {
    const needed: Record<string, unknown> = {
      initialLearningRate: 0.1,
      maxLearningRate: 0.1,
      learningRate: 0.1,
      decaySteps: 7,
      firstDecaySteps: 7,
      totalSteps: 7,
      warmupSteps: 3,
      stepSize: 3,
      decayRate: 0.5,
      boundaries: [2],
      values: [1, 0.5],
    };
    for (const [type, kind] of Object.entries(schedules)) {
      const names = Object.keys(kind.fields).filter(
        (name) => kind.fields[name as keyof typeof kind.fields]?.["fallback"] === undefined,
      );
      const spec = { type, ...Object.fromEntries(names.map((name) => [name, needed[name]])) } as KindSpec;
      for (const value of at(spec, 0, 1, 2, 6, 7, 8, 100, 1e6, 1e9)) {
        expect(value, type).toBeGreaterThanOrEqual(0);
        expect(value, type).toBeLessThan(1.01);
      }
    }
  });

  it("are functions whose settings TypeScript knows", () => {
    expect(cosineDecay({ initialLearningRate: 1, decaySteps: 2 }).spec).toMatchObject({
      type: "cosineDecay",
      alpha: 0,
    });
    // @ts-expect-error initialLearningRate has no default
    expect(() => cosineDecay({ decaySteps: 2 })).toThrow("cosineDecay.initialLearningRate: expected a number from 0");
    // @ts-expect-error two settings have no default
    expect(() => cosineDecay()).toThrow("cosineDecay.decaySteps: expected a whole number from 1, received nothing");
    // @ts-expect-error there is no such setting
    expect(() => cosineDecay({ initialLearningRate: 1, decaySteps: 2, alfa: 0 })).toThrow('did you mean "alpha"');
    const inner = cosineDecay({ initialLearningRate: 1, decaySteps: 2 });
    expect(warmup({ learningRate: inner, warmupSteps: 2 }).value(0)).toBe(0.5);
  });

  it("refuse what does not hold together", () => {
    const wrong = (spec: KindSpec) => () => scheduleOf(spec);
    expect(wrong({ type: "piecewiseConstantDecay", boundaries: [1, 2], values: [1, 2] })).toThrow(
      "expected one value more",
    );
    expect(wrong({ type: "piecewiseConstantDecay", boundaries: [2, 1], values: [1, 2, 3] })).toThrow("rising");
    expect(wrong({ type: "oneCycle", maxLearningRate: 1, totalSteps: 1 })).toThrow(NnError);
    expect(wrong({ type: "cosineDecays", initialLearningRate: 1, decaySteps: 1 })).toThrow(
      'did you mean "cosineDecay"',
    );
  });
});
