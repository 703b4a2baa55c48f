/**
 * @file Digits heard by an LSTM: speech made with eSpeak NG in many voices, as frames of a mel spectrum, with masks behind the end.
 * The voices of the test are never heard in training. The confusion matrix is printed, and written as a table.
 *
 *   node examples/spoken-digits.ts [--epochs 30]
 */
import { formatShare, table } from "@gristmill/cli";
import { adam, cosineDecay, dense, dropout, lstm, masking, matrixPlot, Sequential } from "@gristmill/nn";
import { frameCount, noisyFrames, packFrames, scaleOf } from "./data/speech/features.ts";
import { melDefaults } from "./data/speech/log-mel.ts";
import { digits, spokenDigits } from "./data/speech/spoken-digits.ts";
import { voices } from "./data/speech/voices.ts";
import { runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";

const options = { epochs: { value: "N", help: "times that the utterances are gone through (30; small: 8)" } };

const batchSize = 32;

await runExample("spoken-digits", options, async (example) => {
  const { small, values, seed, say } = example;
  const epochs = wholeNumber(values["epochs"] ?? (small ? "8" : "30"), "--epochs", 1);
  const heard = await spokenDigits(small ? voices("train", 2, 16) : voices("train", 3), say);
  const unheard = await spokenDigits(small ? voices("test", 1, 6) : voices("test", 2), say);
  const [trainingFrames, testFrames] = [noisyFrames(heard, seed), noisyFrames(unheard, seed + 1)];
  const scale = scaleOf(trainingFrames.flat());
  const training = packFrames(trainingFrames, heard, scale);
  const test = packFrames(testFrames, unheard, scale);
  const count = (list: typeof heard): string =>
    `${list.length} of ${new Set(list.map(({ speaker }) => speaker)).size} speakers`;
  say(`utterances: ${count(heard)} for training, ${count(unheard)} for the test`);

  const units = small ? 48 : 96;
  const model = new Sequential(
    [
      masking({ maskValue: 0 }),
      lstm(units, { returnSequences: true }),
      dropout(0.3),
      lstm(units),
      dropout(0.3),
      dense(digits.length, { activation: "softmax" }),
    ],
    { inputShape: [frameCount, melDefaults.bands], seed },
  );
  const steps = Math.ceil(heard.length / batchSize) * epochs;
  const learningRate = cosineDecay({ initialLearningRate: small ? 6e-3 : 3e-3, decaySteps: steps });
  model.compile({
    optimizer: adam({ learningRate, globalClipnorm: 1 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  say(model.summary());
  const results = await train(example, (how) => model.fit(training.x, training.y, how), {
    epochs,
    batchSize,
    validationData: test,
  });
  const counts = await confusions(model, test);
  const columns = ["spoken", ...digits].map((head, i) => ({
    head,
    align: i === 0 ? ("left" as const) : ("right" as const),
  }));
  const rows = counts.map((row, digit) => [digits[digit] ?? "", ...row.map((n) => (n === 0 ? "·" : `${n}`))]);
  say(`\n${table(columns, rows, example.screen.paint)}`);
  const titles = { title: "Spoken digits", rowTitle: "spoken", columnTitle: "understood" };
  await example.folder.write("confusion.svg", matrixPlot(digits, counts, titles));
  await example.folder.write("model.gristmill", model.save());
  await model.close();
  const accuracy = results.at(-1)?.validation?.metrics["accuracy"] ?? Number.NaN;
  say(`\n${formatShare(accuracy)} of ${unheard.length} digits spoken by voices never heard`);
  return {
    setting: { training: heard.length, test: unheard.length, epochs, parameters: model.parameterCount },
    figures: { accuracy, counts },
  };
});

type Test = ReturnType<typeof packFrames>;

/** How often each digit (rows) was understood as each (columns). */
async function confusions(model: Sequential, { x, y }: Test): Promise<number[][]> {
  const { data } = await model.predict(x);
  const counts = digits.map(() => digits.map(() => 0));
  for (const [i, spoken] of y.data.entries()) {
    const answer = data.subarray(i * digits.length, (i + 1) * digits.length);
    const row = counts[spoken] ?? [];
    const understood = answer.indexOf(Math.max(...answer));
    row[understood] = (row[understood] ?? 0) + 1;
  }
  return counts;
}
