/**
 * @file The reference network on MNIST or Fashion-MNIST, with Keras' defaults: 3 x 3 convolution, pool, two dense layers, Adam,
 * batch 32. The test images are looked at after each epoch; nothing is chosen by them.
 *
 *   node examples/cnn.ts --data fashion-mnist --epochs 3 --seeds 1,2,3 --keras
 *
 * `bench/accuracy-cnn.bench.ts` runs this file and reads the mean that it prints.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatShare } from "@gristmill/cli";
import { conv2d, dense, flatten, maxPooling2d, Sequential } from "@gristmill/nn";
import { installPython, runCommand } from "../bench/peers/install.ts";
import { firstImages, type ImageData, imageData, type LabelledImages } from "./data/images.ts";
import { type Example, runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";

const options = {
  data: { value: "NAME", help: `${Object.keys(imageData).join(" or ")} (mnist)` },
  epochs: { value: "N", help: "of each training (3)" },
  seeds: { value: "LIST", help: "one training for each (1,2,3)" },
  keras: { help: "train Keras' own network beside it; installs Keras into .bench/venv" },
  python: { value: "PATH", help: "use the Keras of this Python" },
};

const kerasTimeoutMs = 3_600_000;

await runExample("cnn", options, async (example) => {
  const { small, values } = example;
  const data = String(values["data"] ?? "mnist");
  if (!(data in imageData))
    throw new Error(`--data: expected ${Object.keys(imageData).join(" or ")}, received "${data}"`);
  const all = await imageData[data as keyof typeof imageData](example.say);
  const images = small ? { ...all, train: firstImages(all.train, 6000), test: firstImages(all.test, 1000) } : all;
  const epochs = wholeNumber(values["epochs"] ?? (small ? "1" : "3"), "--epochs", 1);
  const seeds = String(values["seeds"] ?? (small ? "1" : "1,2,3"))
    .split(",")
    .map((seed) => wholeNumber(seed, "--seeds", 0));

  const last: number[] = [];
  for (const seed of seeds) last.push(await trainOne(example, images, epochs, seed));
  const mean = last.reduce((sum, accuracy) => sum + accuracy, 0) / last.length;
  example.say(`\nafter epoch ${epochs}: mean ${formatShare(mean)}, lowest ${formatShare(Math.min(...last))}`);
  const wantsKeras = values["keras"] === true || values["python"] !== undefined;
  const keras = wantsKeras ? await kerasMean(example, images, epochs, seeds) : undefined;
  if (keras !== undefined) example.say(`difference to Keras: ${(100 * (mean - keras)).toFixed(2)} points`);
  return {
    setting: { data, images: images.train.y.data.length, epochs, seeds },
    figures: { accuracies: last, mean, keras },
  };
});

/** @returns the accuracy on the test images after the last epoch. */
async function trainOne(example: Example, images: ImageData, epochs: number, seed: number): Promise<number> {
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
  const results = await train(example, (how) => model.fit(images.train.x, images.train.y, how), {
    epochs,
    label: `seed ${seed}`,
    validationData: images.test,
  });
  await example.folder.write(`seed-${seed}.gristmill`, model.save());
  await model.close();
  return results.at(-1)?.validation?.metrics["accuracy"] ?? Number.NaN;
}

/** @returns the mean accuracy of Keras' own network, 0 to 1; undefined, with a line that says why, where it cannot be had. */
async function kerasMean(
  example: Example,
  images: ImageData,
  epochs: number,
  seeds: readonly number[],
): Promise<number | undefined> {
  const { python } = example.values;
  const installed =
    typeof python === "string" ? { ok: true as const, output: python } : await installPython("requirements-keras.txt");
  const script = join(import.meta.dirname, "..", "bench", "peers", "keras_accuracy.py");
  await writeIdx(example, "train", images.train);
  await writeIdx(example, "t10k", images.test);
  const args = [script, example.folder.path, `${epochs}`, seeds.join(",")];
  const said = installed.ok ? await runCommand(installed.output, args, kerasTimeoutMs) : installed;
  example.say(said.ok ? `\nKeras\n${said.output}` : `Keras was not run: ${said.reason}`);
  const mean = said.ok ? /mean (\d+\.\d+) %/.exec(said.output)?.[1] : undefined;
  return mean === undefined ? undefined : Number(mean) / 100;
}

/** The images as the files that the Python script reads. */
async function writeIdx({ folder }: Example, split: string, { x, y }: LabelledImages): Promise<void> {
  const header = (shape: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 + 4 * shape.length);
    bytes[2] = 8; // bytes
    bytes[3] = shape.length;
    for (const [i, size] of shape.entries()) bytes.writeUInt32BE(size, 4 + 4 * i);
    return bytes;
  };
  const write = (kind: string, shape: readonly number[], data: Uint8Array) =>
    writeFile(join(folder.path, `${split}-${kind}-ubyte`), Buffer.concat([header(shape), data]));
  await write("images-idx3", x.shape.slice(0, 3), x.data);
  await write("labels-idx1", y.shape, y.data);
}
