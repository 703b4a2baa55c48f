/** @file A platform with a small dataset, a trained model and a deployment, all named "digits": where most tests across packages begin. */
import type { Dataset, Deployment, Run } from "@gristmill/contract";
import { mnistFiles, mnistForm, smallSpec } from "./mnist.ts";
import { type Home, Platform } from "./platform.ts";

/** A run on "digits" that registers the model "digits". */
export const runRequest = (epochs: number, more: Readonly<Record<string, unknown>> = {}) => ({
  dataset: "digits",
  spec: smallSpec,
  fit: { epochs, batch_size: 32, seed: 5 },
  register: { model: "digits" },
  ...more,
});

/** Imports, trains one epoch, deploys, and waits until the deployment is ready. */
export async function trainedPlatform(home: Home): Promise<Platform> {
  const platform = await Platform.start(home);
  try {
    await platform.expect(202, "POST", "/api/datasets", mnistForm("digits", 2000, 500));
    await platform.until<Dataset>("/api/datasets/digits", (dataset) => dataset.status === "ready");
    const run = await platform.expect<Run>(202, "POST", "/api/runs", runRequest(1));
    await platform.until<Run>(`/api/runs/${run.id}`, (found) => found.status === "succeeded");
    await platform.expect(202, "POST", "/api/deployments", { name: "digits", model: "digits" });
    await platform.until<Deployment>("/api/deployments/digits", (deployment) => deployment.status === "ready");
    return platform;
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

const first = mnistFiles("t10k", 1).images.subarray(16);

/** The first test image, scaled as the model was trained. */
export const firstImage: readonly number[] = Array.from(first, (value) => value / 255);

/** An infer request with the first test image, `rows` times. */
export const inferBody = (rows = 1) => ({
  id: "first",
  inputs: [
    {
      name: "input",
      shape: [rows, 28, 28, 1],
      datatype: "FP32",
      data: Array.from({ length: rows }, () => firstImage).flat(),
    },
  ],
});
