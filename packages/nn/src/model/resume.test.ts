/** @file A training that was broken off goes on as if nothing had happened. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { earlyStopping } from "../callbacks/early-stopping.ts";
import { modelCheckpoint } from "../callbacks/model-checkpoint.ts";
import { reduceLearningRateOnPlateau } from "../callbacks/reduce-on-plateau.ts";
import { dense } from "../layers/core/dense.ts";
import { dropout } from "../layers/noise/dropout.ts";
import { batchNormalization } from "../layers/normalization/batch-normalization.ts";
import { adam } from "../optimizers/adam.ts";
import { Sequential } from "./sequential.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-resume-"));
});
afterAll(() => rm(folder, { recursive: true }));

const x = Array.from({ length: 45 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7]);
const y = x.map(([a = 0, b = 0], i) => [a * b + (i % 3)]);

/** Everything at once that a resume could lose. */
function everything(): Sequential {
  const model = new Sequential(
    [dense(6, { activation: "relu", inputShape: [3] }), batchNormalization(), dropout(0.3), dense(1)],
    { seed: 21 },
  );
  const learningRate = { type: "exponentialDecay", initialLearningRate: 0.1, decaySteps: 5, decayRate: 0.9 } as const;
  model.compile({
    optimizer: adam({ learningRate, gradientAccumulationSteps: 3, useEma: true, clipnorm: 1 }),
    loss: "meanSquaredError",
  });
  return model;
}

const fit = (model: Sequential, path: string, epochs: number, stepsPerEpoch?: number) =>
  model.fit(x, y, {
    epochs,
    initialEpoch: model.epoch,
    batchSize: 8,
    threads: 1,
    validationSplit: 0.2,
    ...(stepsPerEpoch === undefined ? {} : { stepsPerEpoch }),
    callbacks: [
      reduceLearningRateOnPlateau({ patience: 1, minDelta: 0.01, factor: 0.5 }),
      earlyStopping({ patience: 4, restoreBestWeights: true }),
      modelCheckpoint(path),
    ],
  });

describe("a training resumed from the file of an epoch", () => {
  it.each([undefined, 3, 7])("ends with the bytes of an unbroken one (%s steps per epoch)", async (stepsPerEpoch) => {
    const path = join(folder, `${stepsPerEpoch}-{epoch}.nn`);
    const whole = everything();
    const { epochs, stopped } = await fit(whole, path, 14, stepsPerEpoch);
    const bytes = whole.save();
    expect(Sequential.load(bytes).getWeights()).toEqual(whole.getWeights());
    const histories = epochs.map(({ loss, validation }) => [loss, validation?.loss]);
    for (const epoch of [2, epochs.length - 1]) {
      const name = path.replace("{epoch}", String(epoch).padStart(3, "0"));
      const resumed = Sequential.load(await readFile(name));
      expect(resumed.epoch).toBe(epoch);
      const rest = await fit(resumed, path, 14, stepsPerEpoch);
      expect(rest.stopped).toBe(stopped);
      expect(rest.epochs.map(({ loss, validation }) => [loss, validation?.loss])).toEqual(histories.slice(epoch));
      expect(Buffer.from(resumed.save()).equals(bytes)).toBe(true);
      await resumed.close();
    }
    await whole.close();
  });
});

it("a process killed in the middle of an epoch is gone on with from its last file, to the same weights", async () => {
  const child = fileURLToPath(new URL("testing/trained-process.ts", import.meta.url));
  const run = (file: string, ...how: string[]) =>
    promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", child, join(folder, file), ...how]);
  const unbroken = (await run("unbroken.nn")).stdout;
  expect(unbroken).toMatch(/^6 [0-9a-f]{64}\n$/);
  await expect(run("killed.nn", "4")).rejects.toMatchObject({ signal: "SIGKILL" });
  expect(Sequential.load(await readFile(join(folder, "killed.nn"))).epoch).toBe(3);
  expect((await run("killed.nn")).stdout).toBe(unbroken);
}, 30_000);
