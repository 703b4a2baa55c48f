import { describe, expect, it } from "vitest";
import { NonFiniteLossError } from "../errors.ts";
import { dense } from "../layers/core/dense.ts";
import { Sequential } from "../model/sequential.ts";
import { adam } from "../optimizers/adam.ts";
import { sgd } from "../optimizers/sgd.ts";

const line = { x: [[1], [2], [3], [4]], y: [[2], [4], [6], [8]] };

function linear(optimizer: ReturnType<typeof sgd>): Sequential {
  const model = new Sequential([dense(1, { inputShape: [1] })], { seed: 2 });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return model;
}

describe("a training that goes to infinity", () => {
  it("stops with epoch, step and advice, and keeps the weights of its last good epoch", async () => {
    const model = linear(sgd({ learningRate: 30 }));
    const good = new Map<number, unknown>();
    const training = model.fit(line.x, line.y, {
      epochs: 100,
      batchSize: 2,
      threads: 1,
      onEpochEnd: ({ epoch }) => void good.set(epoch, model.getWeights()),
    });
    const error = await training.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(NonFiniteLossError);
    const { epoch, step, advice } = error as NonFiniteLossError;
    expect(advice).toContain("lower the learning rate");
    expect(epoch).toBe(good.size + 1);
    expect(step).toBeGreaterThanOrEqual(1);
    expect(model.epoch).toBe(good.size);
    expect(model.step).toBe(2 * good.size);
    expect(model.getWeights()).toEqual(good.get(good.size));
    await model.close();
  });

  it("is found when only the last update of an epoch overflows, before anything is saved", async () => {
    const model = linear(sgd({ learningRate: 1e38 }));
    const before = model.getWeights();
    // one step: its loss is taken before its update, and is finite
    await expect(model.fit([[4]], [[-8]], { threads: 1 })).rejects.toThrow("epoch 1, step 1");
    expect(model.getWeights()).toEqual(before);
    expect(model.epoch).toBe(0);
    await model.close();
  });

  it("is found in data with NaN", async () => {
    const model = linear(sgd());
    await expect(model.fit([[Number.NaN]], [[1]], { threads: 1 })).rejects.toThrow(NonFiniteLossError);
    await model.close();
  });
});

describe("a training that is aborted", () => {
  it("stops before the next run, keeps what was trained, and can go on", async () => {
    const model = linear(adam());
    const controller = new AbortController();
    let runs = 0;
    const training = model.fit(line.x, line.y, {
      epochs: 1000,
      batchSize: 4,
      threads: 1,
      signal: controller.signal,
      onProgress() {
        runs++;
        if (runs === 3) controller.abort();
      },
    });
    await expect(training).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(runs).toBe(3);
    expect(model.step).toBe(3);
    await model.fit(line.x, line.y, { threads: 1 });
    expect(model.step).toBe(4);
    await model.close();
  });

  it("never starts when the signal is aborted already", async () => {
    const model = linear(sgd());
    const before = model.getWeights();
    await expect(model.fit(line.x, line.y, { signal: AbortSignal.abort(), threads: 1 })).rejects.toThrow();
    expect(model.getWeights()).toEqual(before);
    await model.close();
  });
});
