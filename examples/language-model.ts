/**
 * @file A Transformer that says the next character, on Moby Dick or the addresses of the presidents, beside models that count
 * sequences of three and five characters. Every tenth chapter or speech is for the test. Then it writes some text.
 *
 *   node examples/language-model.ts [--text state-of-the-union] [--epochs 12]
 */
import { adamw, cosineDecay, curvePlot, dense, input, Model, tokenAndPositionEmbedding } from "@gristmill/nn";
import { CharacterNgrams } from "./baselines/character-ngrams.ts";
import { mobyDick, stateOfTheUnion } from "./data/texts.ts";
import { type Example, runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";
import { Alphabet } from "./language/alphabet.ts";
import { generate } from "./language/generate.ts";
import { transformerBlocks } from "./language/transformer.ts";
import { randomWindows, testWindows } from "./language/windows.ts";

const texts = { "moby-dick": mobyDick, "state-of-the-union": stateOfTheUnion };
const options = {
  text: { value: "NAME", help: `${Object.keys(texts).join(" or ")} (moby-dick)` },
  epochs: { value: "N", help: "of 200 batches each (12; small: 4)" },
};

const testEvery = 10;
const full = { layers: 6, heads: 8, width: 256, length: 128, batchSize: 16, steps: 200, dropout: 0.1, rate: 1e-3 };
const little = { layers: 2, heads: 4, width: 64, length: 64, batchSize: 16, steps: 100, dropout: 0, rate: 5e-3 };
/** Characters of the test that are looked at after each epoch; after the last one all are. */
const glance = 20_000;

await runExample("language-model", options, async (example) => {
  const { small, values, seed, say } = example;
  const name = String(values["text"] ?? "moby-dick") as keyof typeof texts;
  if (!(name in texts)) throw new Error(`--text: expected ${Object.keys(texts).join(" or ")}, received "${name}"`);
  const epochs = wholeNumber(values["epochs"] ?? (small ? "4" : "12"), "--epochs", 1);
  const documents = await texts[name](say);
  const part = (isTest: boolean): string =>
    documents
      .filter((_, i) => (i % testEvery === testEvery - 1) === isTest)
      .map(({ text }) => text)
      .join("\n\n");
  const alphabet = new Alphabet(part(false));
  const training = alphabet.encode(part(false));
  const test = alphabet.encode(part(true)).subarray(0, small ? glance : undefined);
  const counted = [3, 5].map((order) => new CharacterNgrams(training, order, alphabet.size).bitsPerCharacter(test));
  const [three = Number.NaN, five = Number.NaN] = counted;
  say(`${training.length} characters, ${alphabet.size} different; the test has ${test.length}`);
  say(`bits per character: 3-grams ${three.toFixed(3)}, 5-grams ${five.toFixed(3)}`);

  const sizes = small ? little : full;
  const model = languageModel(alphabet.size, sizes, seed);
  const decaySteps = sizes.steps * epochs;
  const learningRate = cosineDecay({
    initialLearningRate: 0,
    warmupTarget: sizes.rate,
    warmupSteps: Math.ceil(decaySteps / 20),
    decaySteps,
  });
  model.compile({
    optimizer: adamw({ learningRate, weightDecay: 0.01, globalClipnorm: 1 }),
    loss: "sparseCategoricalCrossentropy",
  });
  say(`${model.parameterCount} parameters`);
  const bits: number[] = [];
  await train(example, (how) => model.fit(randomWindows(training, { ...sizes, seed }), how), {
    epochs,
    steps: sizes.steps,
    async onEpochEnd({ epoch }) {
      bits.push(await bitsOf(model, test.subarray(0, glance), sizes.length, example.threads));
      say(`  ${bits.at(-1)?.toFixed(3)} bits per character`);
      await plot(example, { bits, three, five, charactersOfEpoch: sizes.steps * sizes.batchSize * sizes.length });
      if (epoch % 5 === 0) await example.folder.write("model.gristmill", model.save());
    },
  });
  const all = await bitsOf(model, test, sizes.length, example.threads);
  say(`\nbits per character: Transformer ${all.toFixed(3)}, 3-grams ${three.toFixed(3)}, 5-grams ${five.toFixed(3)}`);
  const start = alphabet.decode(test.subarray(0, 40));
  const how = { count: small ? 60 : 600, length: sizes.length, temperature: 0.8, seed, threads: example.threads };
  const written = await generate(model, alphabet, start, how);
  say(`\n${written}`);
  await example.folder.write("written.txt", written);
  await example.folder.write("model.gristmill", model.save());
  const parameters = model.parameterCount;
  await model.close();
  return {
    setting: { text: name, characters: training.length, epochs, ...sizes, parameters },
    figures: { bitsPerCharacter: all, threeGrams: three, fiveGrams: five, glances: bits },
  };
});

/** Of each step a probability for every next character. */
function languageModel(characters: number, sizes: typeof full, seed: number): Model {
  const text = input({ shape: [null], dtype: "int32" });
  const embedded = tokenAndPositionEmbedding({
    vocabularySize: characters,
    sequenceLength: sizes.length,
    embeddingDim: sizes.width,
  }).apply(text);
  const read = transformerBlocks(embedded, { ...sizes, isCausal: true });
  const outputs = dense(characters, { activation: "softmax" }).apply(read);
  return new Model({ inputs: text, outputs }, { seed });
}

/** Bits per character of a text, of which each character has at least half a piece before it. */
async function bitsOf(model: Model, text: Uint8Array, length: number, threads: number | undefined): Promise<number> {
  const { x, y, sampleWeight } = testWindows(text, length);
  const { loss } = await model.evaluate(x, y, { sampleWeight, batchSize: 32, threads });
  const counted = sampleWeight.data.reduce((sum, weight) => sum + weight, 0) / sampleWeight.data.length;
  return loss / counted / Math.LN2; // the loss is a mean over all characters, those of weight 0 too
}

/** The model's bits against the characters it has read, beside those of the counting models. */
async function plot(
  { folder }: Example,
  { bits, three, five, charactersOfEpoch }: { bits: number[]; three: number; five: number; charactersOfEpoch: number },
): Promise<void> {
  const x = bits.map((_, i) => ((i + 1) * charactersOfEpoch) / 1e6);
  const level = (name: string, y: number) => ({ name, x, y: x.map(() => y), isDashed: true });
  const curves = [{ name: "Transformer", x, y: bits }, level("3-grams", three), level("5-grams", five)];
  const labels = { xLabel: "million characters read", yLabel: "bits per character" };
  await folder.write("bits.svg", curvePlot(curves, { title: "Language model", ...labels }));
}
