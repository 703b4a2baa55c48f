import { ShapeError } from "@gristmill/onnx";
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
  it.each<[string, number, number, object?]>([
    ["glorotUniform", Math.sqrt(2 / 432), Math.sqrt(6 / 432)],
    ["glorotNormal", Math.sqrt(2 / 432), (2 * Math.sqrt(2 / 432)) / 0.8796],
    ["heUniform", Math.sqrt(2 / 144), Math.sqrt(6 / 144)],
    ["heNormal", Math.sqrt(2 / 144), (2 * Math.sqrt(2 / 144)) / 0.8796],
    ["lecunUniform", Math.sqrt(1 / 144), Math.sqrt(3 / 144)],
    ["lecunNormal", Math.sqrt(1 / 144), (2 * Math.sqrt(1 / 144)) / 0.8796],
    ["randomUniform", 0.05 / Math.sqrt(3), 0.05],
    ["randomNormal", 0.05, 0.25],
    ["truncatedNormal", 0.05 * 0.8796, 0.1],
    ["varianceScaling", Math.sqrt(1 / 144), (2 * Math.sqrt(1 / 144)) / 0.8796],
    ["varianceScaling", Math.sqrt(3 / 288), Math.sqrt(9 / 288), { scale: 3, mode: "fanOut", distribution: "uniform" }],
    [
      "varianceScaling",
      Math.sqrt(2 / 216),
      5 * Math.sqrt(2 / 216),
      { scale: 2, mode: "fanAvg", distribution: "untruncatedNormal" },
    ],
  ])("%s has Keras' deviation and bound", (type, deviation, bound, settings = {}) => {
    const { mean, deviation: received, largest } = statistics(draw(type, settings));
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

  it("identity hands on what it can of a matrix, and refuses others", () => {
    const identity = (sizes: readonly number[], settings: object = {}) =>
      Array.from(madeFrom(initializers, { type: "identity", ...settings })(sizes, 1));
    expect(identity([2, 3])).toEqual([1, 0, 0, 0, 1, 0]);
    expect(identity([3, 2], { gain: 0.5 })).toEqual([0.5, 0, 0, 0.5, 0, 0]);
    expect(() => identity([3])).toThrow("identity: expected a matrix, received a weight of [3]");
    expect(() => identity(shape)).toThrow(ShapeError);
  });

  it("of a mode that does not exist is told", () => {
    expect(() => draw("varianceScaling", { mode: "fan_in" })).toThrow(
      'varianceScaling.mode: expected one of "fanIn", "fanOut", "fanAvg", received "fan_in" (did you mean "fanIn"?)',
    );
  });
});
