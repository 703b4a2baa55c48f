import { type Tensor, tensor } from "@gristmill/onnx";
import { describe } from "vitest";
import { Model } from "../model/model.ts";
import { parseCompileSpec } from "../spec/compile-spec.ts";
import {
  type GoldenArray,
  type GoldenCase,
  goldenFile,
  goldenNumbers,
  goldenTests,
  type Mismatches,
  mismatches,
  type NamedGolden,
} from "../testing/golden.ts";
import { exceptions } from "./exceptions.ts";

/** One training step of a model. */
interface ModelGolden extends GoldenCase {
  readonly model: unknown;
  readonly compile: Readonly<Record<string, unknown>>;
  readonly x: GoldenArray;
  readonly y: GoldenArray;
  readonly weights: readonly NamedGolden[];
  readonly predictions: GoldenArray;
  readonly loss: number;
  readonly gradients: readonly NamedGolden[];
  readonly after: readonly NamedGolden[];
}

/**
 * Shares of the largest number. A gradient goes through all layers and back. Adam's first step is the learning rate times the
 * gradient's sign, a hundredth here, but for gradients that are about as small as its epsilon, such as those of a key's bias,
 * which are 0 but for rounding: theirs is a share of that rounding.
 */
const tolerance = { prediction: 2e-6, loss: 2e-6, gradient: 2e-5, after: 5e-5 } as const;

const samples = (array: GoldenArray) => ({ shape: array.shape, data: Float32Array.from(goldenNumbers(array)) });

/** A model with the first weights, and its weights after one step of an optimizer. */
async function stepped(one: ModelGolden, optimizer: unknown): Promise<{ model: Model; loss: number }> {
  const model = Model.fromSpec(one.model);
  model.compile(parseCompileSpec({ ...one.compile, optimizer }));
  const named = model.getWeights().map(({ name }) => name);
  model.setWeights(
    one.weights.map((array, i) => ({
      name: named[i] ?? "",
      value: tensor("float32", array.shape, Float32Array.from(goldenNumbers(array))),
    })),
  );
  const batchSize = one.x.shape[0] ?? 1;
  const { history } = await model.fit(samples(one.x), samples(one.y), { batchSize, shuffle: false, threads: 1 });
  return { model, loss: history["loss"]?.[0] ?? Number.NaN };
}

const minus = (first: GoldenArray | undefined, after: Tensor<"float32">): Pick<Tensor, "shape" | "data"> => ({
  shape: after.shape,
  data: after.data.map((value, i) => (Number(first?.data[i]) - value) as number),
});

async function check(one: ModelGolden): Promise<Mismatches> {
  const untrained = Model.fromSpec(one.model);
  const shapes = (list: readonly { readonly shape: readonly number[] }[]): string => list.map((w) => w.shape).join("|");
  const own = untrained.getWeights();
  if (shapes(own.map(({ value }) => value)) !== shapes(one.weights))
    return [`weights: expected ${shapes(one.weights)}, received ${shapes(own.map(({ value }) => value))}`];
  untrained.setWeights(
    own.map(({ name }, i) => {
      const array = one.weights[i];
      return {
        name,
        value: tensor("float32", array?.shape ?? [], Float32Array.from(array ? goldenNumbers(array) : [])),
      };
    }),
  );
  const said = await untrained.predict(samples(one.x), { threads: 1 });
  // with a learning rate of 1 plain descent takes the gradient off
  const descended = await stepped(one, { type: "sgd", learningRate: 1 });
  const trained = await stepped(one, one.compile["optimizer"]);
  const slopes = descended.model.getWeights().map(({ value }, i) => minus(one.weights[i], value));
  const after = trained.model.getWeights();
  await Promise.all([untrained.close(), descended.model.close(), trained.model.close()]);
  return [
    ...mismatches("predictions", said, one.predictions, tolerance.prediction),
    ...mismatches(
      "loss",
      { shape: [], data: Float64Array.of(trained.loss) },
      { shape: [], data: [one.loss] },
      tolerance.loss,
    ),
    ...one.gradients.flatMap((golden, i) =>
      mismatches(`gradient of ${golden.name}`, slopes[i], golden, tolerance.gradient),
    ),
    ...one.after.flatMap((golden, i) =>
      mismatches(`${golden.name} after the step`, after[i]?.value, golden, tolerance.after),
    ),
  ];
}

const family = "reference_models";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<ModelGolden>(family), exceptions[family] ?? {}, check));
