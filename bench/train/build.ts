/**
 * @file How long a deep model takes until it trains, in a process of its own: `node build.ts THREADS`. A Transformer of 12 layers
 * is built, compiled to ONNX, encoded and opened as a session. Prints one line of JSON.
 */
import { Model } from "@gristmill/nn";

const threads = Number(process.argv[2]);
const [batch, steps, tokens] = [8, 64, 1000];
const start = performance.now();
const model = Model.fromSpec({
  inputShape: [steps],
  layers: [
    { type: "embedding", inputDim: tokens, outputDim: 256 },
    { type: "sinusoidalPositions" },
    ...Array.from({ length: 12 }, () => ({
      type: "transformerEncoder",
      intermediateDim: 1024,
      numHeads: 8,
      useCausalMask: true,
    })),
    { type: "dense", units: tokens, activation: "softmax" },
  ],
});
model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
const made = performance.now();
const x = { shape: [batch, steps], data: new Int32Array(batch * steps) };
const trained = async (): Promise<number> => {
  const begun = performance.now();
  await model.fit(x, x, { batchSize: batch, threads });
  return performance.now() - begun;
};
const first = await trained();
// the session stays open: what the first step took longer is its making
const second = await trained();
console.log(JSON.stringify({ modelMs: made - start, sessionMs: first - second, stepMs: second }));
await model.close();
