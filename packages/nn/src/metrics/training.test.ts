import { expect, it } from "vitest";
import { dense } from "../layers/core/dense.ts";
import { Sequential } from "../model/sequential.ts";
import { normalAt } from "../random/hash.ts";

const seed = 21;
const count = 40;
const x = Array.from({ length: count }, (_, i) => [normalAt(seed, 2 * i), normalAt(seed, 2 * i + 1)]);
const y = x.map(([a = 0, b = 0]) => (a > 0.3 ? 2 : b > 0 ? 1 : 0));

it("metrics of every manner run inside a training and an evaluation, whose batches don't divide the samples", async () => {
  const model = new Sequential([dense(3, { inputShape: [2], activation: "softmax" })], { seed });
  model.compile({
    optimizer: "adam",
    loss: "sparseCategoricalCrossentropy",
    metrics: [
      "accuracy",
      "precision",
      "auc",
      "f1Score",
      "confusionMatrix",
      "sparseTopKCategoricalAccuracy",
      "perplexity",
    ],
  });
  const { epochs } = await model.fit(x, y, { epochs: 2, batchSize: 16, threads: 1, validationData: { x, y } });
  const [, last] = epochs;
  const { loss, metrics, tables } = await model.evaluate(x, y, { batchSize: 7, threads: 1 });
  const answers = await model.predict(x, { threads: 1 });
  await model.close();

  const rows = Array.from({ length: count }, (_, i) => Array.from(answers.data.subarray(3 * i, 3 * i + 3), Number));
  const said = rows.map((row) => row.indexOf(Math.max(...row)));
  const matrix = [0, 1, 2].map((t) =>
    [0, 1, 2].map((p) => said.filter((label, i) => label === p && y[i] === t).length),
  );
  expect(tables?.["confusionMatrix"]).toEqual(matrix);
  expect(metrics["confusionMatrix"]).toBeCloseTo(metrics["accuracy"] ?? Number.NaN, 6);
  expect(metrics["perplexity"]).toBeCloseTo(Math.exp(loss), 4);
  expect(metrics["sparseTopKCategoricalAccuracy"]).toBe(1); // 5 of 3
  expect(tables?.["f1Score"]?.[0]).toHaveLength(3);
  for (const [name, value] of Object.entries(metrics)) expect(last?.validation?.metrics[name]).toBeCloseTo(value, 5);
  for (const value of Object.values(last?.metrics ?? {})) expect(Number.isFinite(value)).toBe(true);
});
