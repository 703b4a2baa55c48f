/** @file Numbers that anyone can check: rows of tables, sines, masks, and a table read forth and back. */
import { expect, it } from "vitest";
import { Model } from "../../model/model.ts";
import { input } from "../../network/symbolic.ts";
import { softmax } from "../core/softmax.ts";
import { embedding } from "./embedding.ts";
import { learnedPositions } from "./learned-positions.ts";
import { reversibleEmbedding } from "./reversible-embedding.ts";
import { sinePositionEncoding } from "./sine-position-encoding.ts";
import { sinusoidalPositions } from "./sinusoidal-positions.ts";

const threads = { threads: 1 };
const tokens = input({ shape: [null], dtype: "int32" });

it("position 3 of width 4 is sin 3, cos 3, sin 3/100, cos 3/100; at step 100,000 still exactly", async () => {
  const steps = 100_001;
  const x = input({ shape: [null, 4] });
  const outputs = [sinePositionEncoding().apply(x), sinusoidalPositions().apply(x)];
  const model = new Model({ inputs: x, outputs }, { seed: 1 });
  const data = new Float32Array(4 * steps).fill(2);
  const [alone, added] = Object.values(await model.predictAll({ shape: [1, steps, 4], data }, threads));
  for (const step of [0, 3, steps - 1]) {
    const expected = [Math.sin(step), Math.cos(step), Math.sin(step / 100), Math.cos(step / 100)];
    expected.forEach((value, i) => {
      expect(alone?.data[4 * step + i]).toBeCloseTo(value, 6);
      expect(added?.data[4 * step + i]).toBeCloseTo(value + 2, 6);
    });
  }
  await model.close();
});

it("0 is padding with maskZero, and a row of its own without", async () => {
  const seen = async (maskZero: boolean) => {
    const vectors = embedding(4, 1, { maskZero, embeddingsInitializer: "ones" }).apply(tokens);
    const model = new Model({ inputs: tokens, outputs: softmax({ axis: 1 }).apply(vectors) }, { seed: 1 });
    const { data } = await model.predict({ shape: [2, 4], data: Int32Array.of(3, 1, 0, 0, 0, 0, 0, 0) }, threads);
    await model.close();
    return Array.from(data);
  };
  expect(await seen(true)).toEqual([0.5, 0.5, 0, 0, 0, 0, 0, 0]);
  expect(await seen(false)).toEqual(new Array(8).fill(0.25));
});

it("a number that is no row fails the run and is named", async () => {
  const model = new Model({ inputs: tokens, outputs: embedding(4, 2).apply(tokens) }, { seed: 1 });
  await expect(model.predict({ shape: [1, 2], data: Int32Array.of(1, 4) }, threads)).rejects.toThrow(/4/);
  await model.close();
});

it("a reversible embedding has one table for both ways, and trains it from both", async () => {
  const words = reversibleEmbedding(5, 3, { name: "words", embeddingsInitializer: "glorotUniform" });
  const sequence = input({ shape: [4], dtype: "int32" });
  const vectors = words.apply(sequence);
  const model = new Model({ inputs: sequence, outputs: [vectors, words.apply(vectors)] }, { seed: 7 });
  expect(model.getWeights().map(({ name }) => name)).toEqual(["words/embeddings"]);
  const table = Array.from(model.getWeights()[0]?.value.data ?? []);
  const row = (token: number): number[] => table.slice(3 * token, 3 * token + 3);
  const given = [4, 0, 4, 2];
  const [forth, back] = Object.values(await model.predictAll({ shape: [1, 4], data: Int32Array.from(given) }, threads));
  given.flatMap(row).forEach((value, i) => void expect(forth?.data[i]).toBeCloseTo(value, 6));
  const products = given.flatMap((token) =>
    [0, 1, 2, 3, 4].map((other) => row(token).reduce((sum, value, i) => sum + value * (row(other)[i] ?? 0), 0)),
  );
  products.forEach((value, i) => void expect(back?.data[i]).toBeCloseTo(value, 6));
  await model.close();
});

it("tells what does not fit", () => {
  const grid = input({ shape: [2, 3], dtype: "int32" });
  expect(() => embedding(4, 2, { maskZero: true }).apply(grid)).toThrow(
    "embedding: expected samples of [steps] for maskZero, received [2, 3]",
  );
  expect(() => embedding(0, 2)).toThrow("embedding.inputDim: expected a whole number from 1, received 0");
  expect(() => reversibleEmbedding(5, 4).apply(input({ shape: [2, 3] }))).toThrow(
    "expected vectors of 4 on the way back",
  );
  expect(() => learnedPositions(5).apply(input({ shape: [6, 2] }))).toThrow(
    "learnedPositions: expected at most 5 steps, which maxLength says, received [6, 2]",
  );
});
