// TensorFlow.js' JavaScript backend: the reference network's step. Prints one JSON line for each batch size.
// Arguments: folder of the MNIST files, then batch:steps pairs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";

const [folder, ...pairs] = process.argv.slice(2);
const images = readFileSync(join(folder, "train-images-idx3-ubyte")).subarray(16);
const labels = readFileSync(join(folder, "train-labels-idx1-ubyte")).subarray(8);
await tf.setBackend("cpu");
await tf.ready();

for (const pair of pairs) {
  const [batch, steps] = pair.split(":").map(Number);
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 32, kernelSize: 3, activation: "relu", inputShape: [28, 28, 1] }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 128, activation: "relu" }),
      tf.layers.dense({ units: 10, activation: "softmax" }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const step = async (at) => {
    const x = tf.tensor4d(
      Float32Array.from(images.subarray(at * batch * 784, (at + 1) * batch * 784), (v) => v / 255),
      [batch, 28, 28, 1],
    );
    const y = tf.tensor1d(Float32Array.from(labels.subarray(at * batch, (at + 1) * batch)));
    await model.trainOnBatch(x, y);
    tf.dispose([x, y]);
  };
  await step(0); // the first one also makes kernels
  const start = performance.now();
  for (let i = 1; i <= steps; i++) await step(i);
  const msPerStep = (performance.now() - start) / steps;
  console.log(
    JSON.stringify({ peer: "TensorFlow.js (JavaScript backend)", version: tf.version.tfjs, batch, steps, msPerStep }),
  );
}
