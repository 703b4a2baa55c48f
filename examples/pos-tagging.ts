/**
 * @file Parts of speech of the Brown Corpus: a bidirectional LSTM over embedded words, endings and spellings, with masks, beside
 * the tag that each word has most often.
 *
 *   node examples/pos-tagging.ts [--epochs 3]
 */
import { formatShare } from "@gristmill/cli";
import {
  adam,
  bidirectional,
  concatenate,
  cosineDecay,
  dense,
  dropout,
  embedding,
  input,
  lstm,
  Model,
} from "@gristmill/nn";
import { mostFrequentTagger, taggingAccuracy } from "./baselines/most-frequent-tag.ts";
import { brownCorpus, type TaggedText } from "./data/brown.ts";
import { runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";
import { byLength, sentenceBatch, sentenceStream } from "./tagging/batches.ts";
import { type EncodedSentence, TaggingVocabulary } from "./tagging/vocabulary.ts";

const options = { epochs: { value: "N", help: "times that the texts are gone through (3)" } };

const batchSize = 32;
/** Every so many texts one is for the test: all genres are in both parts. */
const testEvery = 10;

await runExample("pos-tagging", options, async (example) => {
  const { small, values, seed, say } = example;
  const epochs = wholeNumber(values["epochs"] ?? "3", "--epochs", 1);
  const texts = await brownCorpus(say, small ? 60 : undefined);
  const sentencesOf = (isWanted: (i: number) => boolean) =>
    texts.filter((_: TaggedText, i) => isWanted(i)).flatMap(({ sentences }) => sentences);
  const training = sentencesOf((i) => i % testEvery !== testEvery - 1);
  const test = sentencesOf((i) => i % testEvery === testEvery - 1);
  const baseline = taggingAccuracy(mostFrequentTagger(training), test);
  say(
    `the most frequent tag of each word: ${formatShare(baseline)} of ${test.flatMap(({ words }) => words).length} words`,
  );

  const vocabulary = new TaggingVocabulary(training, 3);
  const model = tagger(vocabulary, small, seed);
  const stream = sentenceStream(
    training.map((sentence) => vocabulary.encode(sentence)),
    batchSize,
    seed,
  );
  const steps = stream.steps * epochs;
  const learningRate = cosineDecay({ initialLearningRate: small ? 1e-2 : 3e-3, decaySteps: steps });
  model.compile({ optimizer: adam({ learningRate }), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  say(model.summary());
  const encoded = test.map((sentence) => vocabulary.encode(sentence));
  const accuracies: number[] = [];
  await train(example, (how) => model.fit(stream.batches, how), {
    epochs,
    steps: stream.steps,
    async onEpochEnd() {
      accuracies.push(await accuracyOf(model, encoded, example.threads));
      say(`  test accuracy ${formatShare(accuracies.at(-1) ?? 0)}`);
    },
  });
  await example.folder.write("model.gristmill", model.save());
  await model.close();
  const accuracy = accuracies.at(-1) ?? Number.NaN;
  say(
    `\nLSTM ${formatShare(accuracy)}, most frequent tag ${formatShare(baseline)}: ${(100 * (accuracy - baseline)).toFixed(2)} points better`,
  );
  return {
    setting: {
      texts: texts.length,
      tags: vocabulary.tags.length,
      ...vocabulary.sizes,
      epochs,
      parameters: model.parameterCount,
    },
    figures: { accuracy, baseline, points: 100 * (accuracy - baseline), accuracies },
  };
});

/** Three embeddings of each word, read in both directions. */
function tagger({ sizes, tags }: TaggingVocabulary, small: boolean, seed: number): Model {
  const ends = {
    words: input({ name: "words", shape: [null], dtype: "int32" }),
    endings: input({ name: "endings", shape: [null], dtype: "int32" }),
    spellings: input({ name: "spellings", shape: [null], dtype: "int32" }),
  };
  const embedded = concatenate().apply([
    embedding(sizes.words, small ? 32 : 96, { maskZero: true }).apply(ends.words),
    embedding(sizes.endings, small ? 16 : 48, { maskZero: true }).apply(ends.endings),
    embedding(sizes.spellings, 8, { maskZero: true }).apply(ends.spellings),
  ]);
  const read = bidirectional(lstm(small ? 32 : 128, { returnSequences: true })).apply(dropout(0.2).apply(embedded));
  const outputs = dense(tags.length, { activation: "softmax" }).apply(dropout(0.3).apply(read));
  return new Model({ inputs: Object.values(ends), outputs }, { seed });
}

/** The share of words that get their tag; every word of every sentence counts. */
async function accuracyOf(
  model: Model,
  sentences: readonly EncodedSentence[],
  threads: number | undefined,
): Promise<number> {
  let [right, all] = [0, 0];
  for (const { steps, sentences: some } of byLength(sentences)) {
    const { x } = sentenceBatch(some, steps);
    const { data, shape } = await model.predict(x, { threads });
    const classes = shape.at(-1) ?? 1;
    for (const [row, { tags }] of some.entries())
      for (const [step, tag] of tags.entries()) {
        const start = (row * steps + step) * classes;
        const answer = data.subarray(start, start + classes);
        all += 1;
        if (answer.indexOf(Math.max(...answer)) === tag) right += 1;
      }
  }
  return right / all;
}
