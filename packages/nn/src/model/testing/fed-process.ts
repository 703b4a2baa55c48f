/**
 * @file A process that trains on images that are made when they are asked for, and says how much memory that took beyond that of
 * a process that is ready to train: `node fed-process.ts source|stream MEBIBYTES` prints JSON of samples, dataBytes, grownBytes and
 * accuracy.
 */
import { readFileSync } from "node:fs";
import { dense } from "../../layers/core/dense.ts";
import { flatten } from "../../layers/core/flatten.ts";
import type { StreamBatch } from "../../training/feed.ts";
import type { Source } from "../../training/source.ts";
import { Sequential } from "../sequential.ts";

const [, , form = "", mebibytes = ""] = process.argv;
const side = 64;
const size = side * side;
const batchSize = 256;
const samples = Math.floor((Number(mebibytes) * 2 ** 20) / size / batchSize) * batchSize;

/** One image: bright above and dark below, or the other way round. */
function draw(index: number, into: Uint8Array): number {
  const label = (index * 7) % 13 < 6 ? 1 : 0;
  into.fill((index % 100) + 100 * label, 0, size / 2);
  into.fill((index % 100) + 100 * (1 - label), size / 2, size);
  return label;
}

const source: Source = {
  length: samples,
  x: { dtype: "uint8", shape: [side, side, 1], scale: 1 / 255 },
  batch(indices, { x, y }) {
    for (const [i, index] of indices.entries())
      y[i] = draw(index, (x as Uint8Array).subarray(i * size, (i + 1) * size));
  },
};

function* stream(): Generator<StreamBatch> {
  for (let at = 0; at < samples; at += batchSize) {
    const x = new Uint8Array(batchSize * size);
    const y = Float32Array.from({ length: batchSize }, (_, i) => draw(at + i, x.subarray(i * size, (i + 1) * size)));
    yield { x: { shape: [batchSize, side, side, 1], data: x, scale: 1 / 255 }, y: { shape: [batchSize, 1], data: y } };
  }
}

/** Bytes by a name of /proc/self/status: VmRSS now, VmHWM at most so far. */
const memory = (name: string): number =>
  1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

const model = new Sequential([flatten({ inputShape: [side, side, 1] }), dense(1, { activation: "sigmoid" })], {
  seed: 1,
});
model.compile({ optimizer: "adam", loss: "binaryCrossentropy", metrics: ["accuracy"] });
const settings = { threads: 1, batchSize };
await model.fit({ ...source, length: batchSize }, settings); // opens the session
const before = memory("VmRSS");
const { epochs } = await (form === "source" ? model.fit(source, settings) : model.fit(stream, settings));
await model.close();
console.log(
  JSON.stringify({
    samples: epochs[0]?.samples,
    dataBytes: samples * size,
    grownBytes: memory("VmHWM") - before,
    accuracy: epochs[0]?.metrics["accuracy"],
  }),
);
