import { expect, it } from "vitest";
import { modelSizes } from "./model-sizes.ts";

it("says what a described model takes, answers and learns, also of one that no memory could hold", () => {
  const spec = { inputShape: [4, 4, 1], layers: [{ type: "flatten" }, { type: "dense", units: 3 }] };
  expect(modelSizes(spec)).toMatchObject({ inputShape: [4, 4, 1], outputShape: [3], parameterCount: 16 * 3 + 3 });
  const huge = { inputShape: [20_000], layers: Array.from({ length: 100 }, () => ({ type: "dense", units: 20_000 })) };
  expect(modelSizes(huge).parameterCount).toBe(100 * 20_000 * 20_001);
});
