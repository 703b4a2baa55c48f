/**
 * @file A better network than the reference: four convolutions with batch normalization, dropout, images that are moved and turned a
 * little, and a learning rate that falls along a cosine. The test images are looked at after each epoch; nothing is chosen by them.
 *
 *   node examples/better-cnn.ts --data fashion-mnist
 */
import { formatShare } from "@gristmill/cli";
import {
  activation,
  adam,
  batchNormalization,
  conv2d,
  cosineDecay,
  dense,
  dropout,
  flatten,
  type Layer,
  maxPooling2d,
  Sequential,
} from "@gristmill/nn";
import { augmentedBatches } from "./augmentation/augmented-batches.ts";
import { cutout } from "./augmentation/cutout.ts";
import { type Change, warp } from "./augmentation/warp.ts";
import { firstImages, imageData } from "./data/images.ts";
import { runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";

const options = {
  data: { value: "NAME", help: `${Object.keys(imageData).join(" or ")} (mnist)` },
  epochs: { value: "N", help: "times that the images are gone through (mnist 12, fashion-mnist 20, small 3)" },
};

const batchSize = 128;
/** Of the moving statistics; Keras' 0.99 would still remember the first weights after an epoch of few steps. */
const momentum = 0.9;
const size = { height: 28, width: 28, channels: 1 };

/** What suits the data: digits must not be mirrored, clothes hang straight. */
const settings = {
  mnist: { epochs: 12, width: 16, change: warp(size, { shift: 2, turn: 10, resize: 0.1, mirrors: false }) },
  "fashion-mnist": {
    epochs: 20,
    width: 32,
    change: clothes(warp(size, { shift: 2, turn: 0, resize: 0.05, mirrors: true })),
  },
};

/** Moved and mirrored, with a hole. */
function clothes(move: Change): Change {
  const cut = cutout(size, 8);
  return (from, into, random) => {
    move(from, into, random);
    cut(into, random);
  };
}

const block = (filters: number): Layer[] => [
  conv2d(filters, 3, { padding: "same", useBias: false }), // the normalization behind it has a bias
  batchNormalization({ momentum }),
  activation("relu"),
];

await runExample("better-cnn", options, async (example) => {
  const { small, values, seed } = example;
  const data = String(values["data"] ?? "mnist") as keyof typeof imageData;
  if (!(data in imageData))
    throw new Error(`--data: expected ${Object.keys(imageData).join(" or ")}, received "${data}"`);
  const all = await imageData[data](example.say);
  const training = small ? firstImages(all.train, 3000) : all.train;
  const test = small ? firstImages(all.test, 1000) : all.test;
  const { epochs: usual, width: full, change } = settings[data];
  const epochs = wholeNumber(values["epochs"] ?? (small ? "3" : `${usual}`), "--epochs", 1);
  const steps = Math.ceil(training.y.data.length / batchSize);
  const width = small ? 8 : full;
  const model = new Sequential(
    [
      ...block(width),
      ...block(width),
      maxPooling2d(2),
      dropout(0.2),
      ...block(2 * width),
      ...block(2 * width),
      maxPooling2d(2),
      dropout(0.3),
      flatten(),
      dense(8 * width, { useBias: false }),
      batchNormalization({ momentum }),
      activation("relu"),
      dropout(0.4),
      dense(10, { activation: "softmax" }),
    ],
    { inputShape: [28, 28, 1], seed },
  );
  const learningRate = cosineDecay({ initialLearningRate: 0.003, decaySteps: steps * epochs });
  model.compile({ optimizer: adam({ learningRate }), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  example.say(model.summary());
  const batches = augmentedBatches(training, { batchSize, seed, change });
  const results = await train(example, (how) => model.fit(batches, how), { epochs, steps, validationData: test });
  await example.folder.write("model.gristmill", model.save());
  await model.close();
  const accuracy = results.at(-1)?.validation?.metrics["accuracy"] ?? Number.NaN;
  example.say(`\n${data}: ${formatShare(accuracy)} of ${test.y.data.length} test images`);
  return {
    setting: { data, images: training.y.data.length, epochs, batchSize, parameters: model.parameterCount },
    figures: { accuracy },
  };
});
