/**
 * @file Spam told from mail by a Transformer that reads the first words in their order, beside a logistic regression that knows
 * only which words occur. Both see the text alone, no headers; every fifth mail is for the test.
 *
 *   node examples/spam-classifier.ts [--epochs 4]
 */
import { formatShare, table } from "@gristmill/cli";
import {
  adam,
  cosineDecay,
  dense,
  dropout,
  globalAveragePooling1d,
  input,
  Model,
  tokenAndPositionEmbedding,
} from "@gristmill/nn";
import { bagOfWords, frequentWords } from "./baselines/bag-of-words.ts";
import { type BinaryScores, binaryScores } from "./baselines/binary-scores.ts";
import { mailWords, spamCorpus } from "./data/spam.ts";
import { type Example, runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";
import { transformerBlocks } from "./language/transformer.ts";

const options = { epochs: { value: "N", help: "times that the mails are gone through (4; small: 2)" } };

const testEvery = 5;
/** Mails of the small setting. */
const few = 1500;
const full = { words: 8000, length: 160, layers: 2, heads: 4, width: 64, dropout: 0.1, bagWords: 4000 };
const little = { words: 2000, length: 64, layers: 1, heads: 2, width: 32, dropout: 0.1, bagWords: 1000 };
/** Epochs of the logistic regression; more changed nothing. */
const bagEpochs = 10;

interface Mail {
  readonly words: readonly string[];
  readonly isPositive: boolean;
}

await runExample("spam-classifier", options, async (example) => {
  const { small, values, seed, say, threads } = example;
  const epochs = wholeNumber(values["epochs"] ?? (small ? "2" : "4"), "--epochs", 1);
  const mails = (await spamCorpus(say))
    .slice(0, small ? few : undefined)
    .map((mail): Mail => ({ words: mailWords(mail), isPositive: mail.isSpam }));
  const training = mails.filter((_, i) => i % testEvery !== testEvery - 1);
  const test = mails.filter((_, i) => i % testEvery === testEvery - 1);
  const isSpam = test.map(({ isPositive }) => isPositive);
  say(
    `${training.length} mails for training, ${test.length} for the test, of which ${isSpam.filter(Boolean).length} are spam`,
  );

  const sizes = small ? little : full;
  const bag = { words: sizes.bagWords, epochs: bagEpochs, seed, ...(threads === undefined ? {} : { threads }) };
  const regression = binaryScores(await bagOfWords(training, test, bag), isSpam);
  const { probabilities, parameters } = await readInOrder(example, { training, test, sizes, epochs });
  const transformer = binaryScores(probabilities, isSpam);
  say(`\n${scoreTable(example, { "logistic regression": regression, Transformer: transformer })}`);
  return { setting: { mails: mails.length, epochs, ...sizes, parameters }, figures: { regression, transformer } };
});

interface Reading {
  readonly training: readonly Mail[];
  readonly test: readonly Mail[];
  readonly sizes: typeof full;
  readonly epochs: number;
}

/** Trains the Transformer. @returns its probability of spam for each mail of the test. */
async function readInOrder(example: Example, { training, test, sizes, epochs }: Reading) {
  const known = frequentWords(
    training.map(({ words }) => words),
    sizes.words,
  );
  const places = new Map(known.map((word, i) => [word, i + 2])); // 0 is padding, 1 a rare word
  const encode = (mails: readonly Mail[]) => {
    const data = new Int32Array(mails.length * sizes.length);
    for (const [row, { words }] of mails.entries())
      data.set(
        words.slice(0, sizes.length).map((word) => places.get(word) ?? 1),
        row * sizes.length,
      );
    return { shape: [mails.length, sizes.length], data };
  };
  const answers = (mails: readonly Mail[]) => ({
    shape: [mails.length, 1],
    data: Float32Array.from(mails, ({ isPositive }) => Number(isPositive)),
  });
  const model = classifier(sizes, example.seed);
  const batchSize = 32;
  const decaySteps = Math.ceil(training.length / batchSize) * epochs;
  const warm = { initialLearningRate: 0, warmupTarget: 1e-3, warmupSteps: Math.ceil(decaySteps / 10) };
  model.compile({
    optimizer: adam({ learningRate: cosineDecay({ ...warm, decaySteps }), globalClipnorm: 1 }),
    loss: "binaryCrossentropy",
    metrics: ["accuracy"],
  });
  await train(example, (how) => model.fit(encode(training), answers(training), how), {
    epochs,
    batchSize,
    validationData: { x: encode(test), y: answers(test) },
  });
  const { data: probabilities } = await model.predict(encode(test), { threads: example.threads });
  await example.folder.write("model.gristmill", model.save());
  const parameters = model.parameterCount;
  await model.close();
  return { probabilities, parameters };
}

/** The mean of what the blocks make of each word, padding left out, decides. */
function classifier(sizes: typeof full, seed: number): Model {
  const words = input({ shape: [sizes.length], dtype: "int32" });
  const embedded = tokenAndPositionEmbedding({
    vocabularySize: sizes.words + 2,
    sequenceLength: sizes.length,
    embeddingDim: sizes.width,
    maskZero: true,
  }).apply(words);
  const read = globalAveragePooling1d().apply(transformerBlocks(embedded, { ...sizes, isCausal: false }));
  const outputs = dense(1, { activation: "sigmoid" }).apply(dropout(sizes.dropout).apply(read));
  return new Model({ inputs: words, outputs }, { seed });
}

function scoreTable({ screen }: Example, scores: Readonly<Record<string, BinaryScores>>): string {
  const heads = ["", "accuracy", "precision", "recall", "F1", "mail called spam", "spam let through"];
  const rows = Object.entries(scores).map(([name, score]) => [
    name,
    ...[score.accuracy, score.precision, score.recall, score.f1].map((share) => formatShare(share)),
    `${score.falsePositives}`,
    `${score.falseNegatives}`,
  ]);
  const columns = heads.map((head, i) => ({ head, align: i === 0 ? ("left" as const) : ("right" as const) }));
  return table(columns, rows, screen.paint);
}
