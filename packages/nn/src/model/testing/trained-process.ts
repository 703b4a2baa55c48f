/**
 * @file A process that trains six epochs and says where it ended: `node trained-process.ts FILE [EPOCH]`. It goes on from FILE
 * where it is there, saves to it after each epoch, and kills itself in the middle of EPOCH.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { modelCheckpoint } from "../../callbacks/model-checkpoint.ts";
import { dense } from "../../layers/core/dense.ts";
import { dropout } from "../../layers/noise/dropout.ts";
import { Sequential } from "../sequential.ts";

const [, , path = "", dies] = process.argv;

function begun(): Sequential {
  const model = new Sequential([dense(16, { activation: "relu", inputShape: [4] }), dropout(0.5), dense(1)], {
    seed: 8,
  });
  model.compile({ optimizer: "adam", loss: "meanSquaredError" });
  return model;
}

const model = existsSync(path) ? Sequential.load(readFileSync(path)) : begun();
// neighbours of two sizes: each batch is a run of its own
const x = Array.from({ length: 20 }, (_, i) =>
  Array.from({ length: 4 + (i % 2) }, (_, row) => [i % 2, (i + row) % 3, i % 5, row]),
);
await model.fit(
  async function* () {
    for (const batch of x) yield { x: batch, y: batch.map(([a = 0, b = 0]) => [a - b]) };
  },
  {
    epochs: 6,
    initialEpoch: model.epoch,
    threads: 1,
    callbacks: [
      modelCheckpoint(path),
      {
        name: "death",
        onRunEnd({ epoch, step }) {
          if (String(epoch) === dies && step === 10) process.kill(process.pid, "SIGKILL");
        },
      },
    ],
  },
);
await model.close();
const hash = createHash("sha256");
for (const { value } of model.getWeights()) hash.update(value.data);
console.log(model.epoch, hash.digest("hex"));
