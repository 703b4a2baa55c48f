/**
 * @file A data set ten times as large as the memory that the process may use: generated pictures in a file, read in random order
 * while a network trains on them. The largest memory of the process is printed; the example fails when it is over the cap.
 *
 *   node examples/larger-than-memory.ts [--cap 384] [--times 10]
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes, formatShare, startProgress } from "@gristmill/cli";
import { conv2d, dense, flatten, maxPooling2d, Sequential } from "@gristmill/nn";
import { generatedSide, shapeNames } from "./data/generated-images.ts";
import { openPictures, pictureFileBytes, writePictures } from "./data/picture-file.ts";
import { runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";

const options = {
  cap: { value: "MB", help: "memory that the process may use (384; small: 320)" },
  times: { value: "N", help: "the data are so many times larger (10; small: 2)" },
  epochs: { value: "N", help: "times that the data are gone through (1)" },
  keep: { help: "keep the file of pictures" },
};

const megabyte = 1e6;
/** Of the pictures, for the test: the last ones. */
const testShare = 0.02;

await runExample("larger-than-memory", options, async (example) => {
  const { small, values, seed, folder, screen, say } = example;
  const capBytes = wholeNumber(values["cap"] ?? (small ? "320" : "384"), "--cap", 1) * megabyte;
  const times = wholeNumber(values["times"] ?? (small ? "2" : "10"), "--times", 1);
  const epochs = wholeNumber(values["epochs"] ?? "1", "--epochs", 1);
  const count = Math.ceil((capBytes * times) / pictureFileBytes(1));
  const path = join(folder.path, "pictures.bin");
  try {
    const bar = startProgress(screen, `drawing ${count} pictures`);
    await writePictures(path, count, seed, (share) => {
      example.signal.throwIfAborted();
      bar.update(share, formatBytes(share * pictureFileBytes(count)));
    });
    bar.stop();
    await using pictures = await openPictures(path);
    const trained = count - Math.ceil(count * testShare);
    const model = new Sequential(
      [
        conv2d(16, 5, { strides: 4, activation: "relu", inputShape: [generatedSide, generatedSide, 3] }),
        maxPooling2d(2),
        conv2d(32, 3, { activation: "relu" }),
        flatten(),
        dense(64, { activation: "relu" }),
        dense(shapeNames.length, { activation: "softmax" }),
      ],
      { seed },
    );
    model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    const results = await train(example, (how) => model.fit(pictures.part(0, trained), how), {
      epochs,
      validationData: pictures.part(trained, count),
    });
    await folder.write("model.gristmill", model.save());
    await model.close();
    const accuracy = results.at(-1)?.validation?.metrics["accuracy"] ?? Number.NaN;
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    say(
      `\n${formatBytes(pictureFileBytes(count))} of pictures, at most ${formatBytes(peakBytes)} of memory (cap ${formatBytes(capBytes)}); ` +
        `accuracy on ${count - trained} others ${formatShare(accuracy)}`,
    );
    if (peakBytes > capBytes)
      throw new Error(`memory: expected at most ${formatBytes(capBytes)}, received ${formatBytes(peakBytes)}`);
    return {
      setting: { pictures: count, dataBytes: pictureFileBytes(count), capBytes, epochs },
      figures: { accuracy, peakBytes },
    };
  } finally {
    if (values["keep"] !== true) await rm(path, { force: true });
  }
});
