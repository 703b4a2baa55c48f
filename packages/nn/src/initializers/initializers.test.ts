import { describe, expect, it } from "vitest";
import { madeFrom } from "../schema/kind.ts";
import { initializers } from "./table.ts";
import { fans } from "./variance-scaling.ts";

const shape = [3, 3, 16, 32]; // fan in 144, fan out 288
const draw = (type: string, settings: object = {}) => madeFrom(initializers, { type, ...settings })(shape, 12345);

function statistics(values: Float32Array) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, deviation, largest: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
}

describe("initializers", () => {
  it("count fans as Keras", () => {
    expect(fans([5])).toEqual({ fanIn: 5, fanOut: 5 });
    expect(fans([4, 6])).toEqual({ fanIn: 4, fanOut: 6 });
    expect(fans(shape)).toEqual({ fanIn: 144, fanOut: 288 });
  });

  // standard deviation and bound by Keras' formulas; 4608 values: the deviation is known to about 1 %
  it.each([
    ["glorotUniform", Math.sqrt(2 / 432), Math.sqrt(6 / 432)],
    ["glorotNormal", Math.sqrt(2 / 432), (2 * Math.sqrt(2 / 432)) / 0.8796],
    ["heUniform", Math.sqrt(2 / 144), Math.sqrt(6 / 144)],
    ["heNormal", Math.sqrt(2 / 144), (2 * Math.sqrt(2 / 144)) / 0.8796],
    ["lecunUniform", Math.sqrt(1 / 144), Math.sqrt(3 / 144)],
    ["lecunNormal", Math.sqrt(1 / 144), (2 * Math.sqrt(1 / 144)) / 0.8796],
    ["randomUniform", 0.05 / Math.sqrt(3), 0.05],
    ["randomNormal", 0.05, 0.25],
    ["truncatedNormal", 0.05 * 0.8796, 0.1],
  ])("%s has Keras' deviation and bound", (type, deviation, bound) => {
    const { mean, deviation: received, largest } = statistics(draw(type));
    expect(Math.abs(mean)).toBeLessThan(0.08 * deviation);
    expect(Math.abs(received / deviation - 1)).toBeLessThan(0.05);
    expect(largest).toBeLessThanOrEqual(bound * 1.001);
    expect(largest).toBeGreaterThan(bound * 0.6);
  });

  it("fill with constants", () => {
    expect(new Set(draw("zeros"))).toEqual(new Set([0]));
    expect(new Set(draw("ones"))).toEqual(new Set([1]));
    expect(new Set(draw("constant", { value: 0.5 }))).toEqual(new Set([0.5]));
  });

  it("give the same numbers for the same key, others for another", () => {
    expect(draw("heNormal")).toEqual(draw("heNormal"));
    const other = madeFrom(initializers, { type: "heNormal" })(shape, 54321);
    expect(other).not.toEqual(draw("heNormal"));
  });
});
