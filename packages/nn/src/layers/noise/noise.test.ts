import { createSession, GraphBuilder, model, type Value } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { GraphMath } from "../../graph/graph-math.ts";
import { Sequential } from "../../model/sequential.ts";
import { normalAt, wordAt } from "../../random/hash.ts";
import { normalNumbers, randomWords } from "../../random/random-words.ts";
import { describeLayer } from "../../testing/describe-layer.ts";
import { dense } from "../core/dense.ts";
import { plain } from "../features.ts";
import type { Layer, LayerScope } from "../layer.ts";
import { activityRegularization } from "./activity-regularization.ts";
import { alphaDropout } from "./alpha-dropout.ts";
import { dropout } from "./dropout.ts";
import { gaussianDropout } from "./gaussian-dropout.ts";
import { gaussianNoise } from "./gaussian-noise.ts";
import { spatialDropout1d, spatialDropout2d, spatialDropout3d } from "./spatial-dropout.ts";

const steps = [4, 3];
describeLayer("gaussianNoise", [{ name: "some", make: () => gaussianNoise(0.5), input: steps, output: steps }]);
describeLayer("gaussianDropout", [{ name: "a third", make: () => gaussianDropout(0.3), input: steps, output: steps }]);
describeLayer("alphaDropout", [{ name: "a third", make: () => alphaDropout(0.3), input: steps, output: steps }]);
describeLayer("dropout", [
  { name: "a half", make: () => dropout(0.5), input: [6], output: [6] },
  { name: "nothing", make: () => dropout(0), input: [6], output: [6] },
]);
describeLayer("spatialDropout1d", [
  { name: "a half", make: () => spatialDropout1d(0.5), input: steps, output: steps, wrongInput: [4] },
]);
describeLayer("spatialDropout2d", [
  { name: "a half", make: () => spatialDropout2d(0.5), input: [2, 3, 4], output: [2, 3, 4], wrongInput: [4, 3] },
]);
describeLayer("spatialDropout3d", [
  { name: "a half", make: () => spatialDropout3d(0.5), input: [2, 3, 2, 4], output: [2, 3, 2, 4] },
]);
describeLayer("activityRegularization", [
  { name: "both", make: () => activityRegularization({ l1: 0.1, l2: 0.2 }), input: steps, output: steps },
]);

const key = 123456789;

/** What a graph answers. */
async function answer(write: (math: GraphMath) => Value): Promise<number[]> {
  const builder = new GraphBuilder("noise");
  builder.output(write(new GraphMath(builder)), "y");
  const session = await createSession(model(builder.build()), { threads: 1, name: "noise" });
  try {
    const y = (await session.run({})).outputs["y"];
    return Array.from(y?.data as ArrayLike<number>, Number);
  } finally {
    await session.close();
  }
}

/** A layer's answer while training, on ones. */
const trained = (layer: Layer, shape: readonly number[], fill = 1) =>
  answer((math) => {
    const scope: Partial<LayerScope> = {
      math,
      path: "x",
      training: true,
      trainable: true,
      randomKey: () => math.builder.scalar(key, "uint32"),
    };
    const x = math.filled(shape, fill, "float32");
    const [made] = layer.build(scope as LayerScope, [plain(x, shape.slice(1))]);
    if (made === undefined) throw new Error("no answer");
    return made.value;
  });

const meanOf = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0) / list.length;
const varianceOf = (list: readonly number[]): number => {
  const mean = meanOf(list);
  return meanOf(list.map((one) => (one - mean) ** 2));
};

it("random words and normal numbers in a graph are those of random/hash.ts", async () => {
  const words = await answer((math) =>
    math.cast(randomWords(math, math.builder.scalar(key, "uint32"), 50, 1, 2), "int64"),
  );
  expect(words).toEqual(Array.from({ length: 50 }, (_, i) => wordAt(key, 1 + 2 * i)));
  const numbers = await answer((math) =>
    normalNumbers(math, math.builder.scalar(key, "uint32"), [50], math.builder.scalar(0, "float64")),
  );
  numbers.forEach((value, i) => void expect(value).toBeCloseTo(normalAt(key, i), 6));
});

it("normal noise has its mean and deviation, and no infinity in a million float32 numbers", async () => {
  const noise = await trained(gaussianNoise(2), [1000, 1000], 0);
  expect(noise.every(Number.isFinite)).toBe(true);
  expect(Math.abs(meanOf(noise))).toBeLessThan(0.01); // five deviations of the mean
  expect(Math.sqrt(varianceOf(noise))).toBeCloseTo(2, 1);
});

it("gaussian dropout has mean 1 and the variance rate / (1 - rate)", async () => {
  const factors = await trained(gaussianDropout(0.2), [100, 400]);
  expect(meanOf(factors)).toBeCloseTo(1, 1);
  expect(varianceOf(factors)).toBeCloseTo(0.25, 1);
});

it("alpha dropout keeps a mean of 0 and a variance of 1", async () => {
  const noise = await answer((math) => {
    const random = math.builder.scalar(key, "uint32");
    const x = normalNumbers(
      math,
      math.builder.scalar(key + 1, "uint32"),
      [200, 400],
      math.builder.scalar(0, "float32"),
    );
    const scope: Partial<LayerScope> = { math, path: "x", training: true, trainable: true, randomKey: () => random };
    const [made] = alphaDropout(0.3).build(scope as LayerScope, [plain(x, [400])]);
    if (made === undefined) throw new Error("no answer");
    return made.value;
  });
  expect(Math.abs(meanOf(noise))).toBeLessThan(0.02);
  expect(varianceOf(noise)).toBeCloseTo(1, 1);
});

it("spatial dropout drops whole channels, each by itself in each sample", async () => {
  const [batch, places, channels] = [8, 6, 16];
  const y = await trained(spatialDropout1d(0.5), [batch, places, channels]);
  const at = (b: number, p: number, c: number): number => y[(b * places + p) * channels + c] ?? Number.NaN;
  let dropped = 0;
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++) {
      const first = at(b, 0, c);
      expect([0, 2]).toContain(first);
      for (let p = 1; p < places; p++) expect(at(b, p, c)).toBe(first);
      if (first === 0) dropped++;
    }
  expect(dropped).toBeGreaterThan(40);
  expect(dropped).toBeLessThan(88);
});

it("the activity of the whole batch counts in the loss", async () => {
  const one = new Sequential([
    dense(1, { useBias: false, kernelInitializer: "ones", inputShape: [1] }),
    activityRegularization({ l1: 0.5, l2: 0.25 }),
  ]);
  one.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const { history } = await one.fit([[1], [-3]], [[1], [-3]], { epochs: 1, threads: 1, shuffle: false });
  expect(history["loss"]?.[0]).toBeCloseTo(0.5 * 4 + 0.25 * 10, 5);
  await one.close();
});
