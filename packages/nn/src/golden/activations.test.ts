import { describe } from "vitest";
import { type GoldenArray, type GoldenCase, type GoldenSpec, goldenFile, goldenTests } from "../testing/golden.ts";
import { checkLayer } from "../testing/golden-layer.ts";
import { exceptions } from "./exceptions.ts";

/** An activation and what it makes of some numbers; the gradient is of sum(output * projection). */
interface ActivationGolden extends GoldenCase {
  readonly activation: GoldenSpec;
  readonly input: GoldenArray;
  readonly output: GoldenArray;
  readonly projection: GoldenArray;
  readonly gradient: GoldenArray;
}

const family = "activations";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<ActivationGolden>(family), exceptions[family] ?? {}, (one) =>
    checkLayer({
      name: one.name,
      source: one.source,
      layer: { type: "activation", activation: one.activation },
      training: null,
      inputs: [one.input],
      weights: [],
      outputs: [one.output],
      projections: [one.projection],
      inputGradients: [one.gradient],
      weightGradients: [],
    }),
  ));
