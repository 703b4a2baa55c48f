/**
 * @file One row of the training benchmark by this library, in a process of its own: `node own.ts MODEL BATCH THREADS SECONDS`.
 * Prints a Measurement. The step is that of `fit`, feeding and shuffling included, without metrics (as the peers').
 */
import { readFileSync } from "node:fs";
import type { Progress } from "@gristmill/nn";
import { type Measurement, median } from "./measurement.ts";
import { benchData, benchModels } from "./models.ts";
import { gemmRate } from "./rates.ts";

const [name = "", batchText, threadsText, secondsText] = process.argv.slice(2);
const [batch, threads, seconds] = [Number(batchText), Number(threadsText), Number(secondsText)];
const leastSteps = 5;
const warmUpMs = 1500;

/** A line of /proc/self/status in bytes; NaN where there is no such file. */
function memory(field: "VmHWM" | "VmRSS"): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  return Number(found?.[1] ?? Number.NaN) * 1024;
}

const chosen = benchModels[name];
if (chosen === undefined) throw new Error(`no model "${name}"; known: ${Object.keys(benchModels).join(", ")}`);
const data = benchData(chosen, batch);
const idleBytes = memory("VmRSS");
const model = chosen.make();
model.compile({ optimizer: { type: "adam" }, loss: "sparseCategoricalCrossentropy" });

// the program runs several short steps at once, and more of them as it learns how long they take: a run is one sample
const runs: { readonly steps: number; readonly ms: number }[] = [];
const stop = new AbortController();
let [last, lastStep, begun] = [performance.now(), 0, Number.NaN];
const onProgress = ({ step }: Progress): void => {
  const now = performance.now();
  const steps = step > lastStep ? step - lastStep : step;
  if (Number.isNaN(begun)) {
    // a long step makes the warm-up longer: the first two runs open the session and grow its memory
    if (now - started > warmUpMs && ++warmRuns >= 2) begun = now;
  } else runs.push({ steps, ms: now - last });
  [last, lastStep] = [now, step];
  const measured = runs.reduce((sum, run) => sum + run.steps, 0);
  if (now - begun > seconds * 1000 && measured >= leastSteps) stop.abort();
};
const started = performance.now();
let warmRuns = 0;
try {
  await model.fit(data.x, data.y, { batchSize: batch, epochs: 1_000_000, threads, onProgress, signal: stop.signal });
} catch (error) {
  if (!stop.signal.aborted) throw error;
}
const peakBytes = memory("VmHWM");
await model.close();
const measurement: Measurement = {
  library: "Gristmill",
  version: "this tree",
  msPerStep: median(runs.map(({ steps, ms }) => ms / steps)),
  steps: runs.reduce((sum, { steps }) => sum + steps, 0),
  peakBytes,
  idleBytes,
  gemmGflops: await gemmRate(threads),
};
console.log(JSON.stringify(measurement));
