import { tensor } from "@gristmill/onnx";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Engine } from "../engine.ts";
import { EngineClosedError, EngineInputError, EngineRunError, QueueFullError } from "../errors.ts";
import { loadOnnxEngine } from "../onnx/onnx-engine.ts";
import { lookup, twoOutputs, withArtifact } from "../testing/models.ts";
import { echoEngine, type Runs, VirtualTime } from "../testing/virtual-time.ts";
import { type BatchedResult, Batcher } from "./batcher.ts";

const settings = { maxBatchSize: 4, maxDelayMs: 2, maxQueue: 100 };

/** `rows` rows of `width` numbers that all are `value`. */
const row = (value: number, rows = 1, width = 1) => ({
  x: tensor("float32", [rows, width], new Float32Array(rows * width).fill(value)),
});

const number = fc.integer({ min: 0, max: 40 });
const request = fc.record({
  atMs: fc.integer({ min: 0, max: 60 }),
  rows: fc.integer({ min: 1, max: 6 }),
  width: fc.integer({ min: 1, max: 2 }),
  abortAfterMs: fc.option(number, { nil: undefined, freq: 6 }),
});

describe("Batcher", () => {
  it("[BAT1][BAT2][BAT3][BAT4] answers each request once with its own rows, in order, in time, whatever arrives", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { maxLength: 40 }),
        fc.record({
          maxBatchSize: fc.integer({ min: 1, max: 8 }),
          maxDelayMs: fc.integer({ min: 0, max: 10 }),
          maxQueue: fc.integer({ min: 1, max: 20 }),
        }),
        fc.integer({ min: 0, max: 7 }),
        async (requests, limits, runMs) => {
          const time = new VirtualTime();
          const runs: Runs = [];
          const batcher = new Batcher(
            echoEngine(time, () => runMs, runs),
            { ...limits, clock: time },
          );
          const outcomes = new Map<number, { result?: BatchedResult; error?: unknown; count: number; atMs: number }>();
          const arrivals: number[] = [];
          for (const [value, { atMs, rows, width, abortAfterMs }] of requests.entries())
            time.after(atMs, () => {
              arrivals.push(value);
              const abort = new AbortController();
              if (abortAfterMs !== undefined) time.after(abortAfterMs, () => abort.abort(new Error("gone")));
              const note = (outcome: { result?: BatchedResult; error?: unknown }) => {
                const count = (outcomes.get(value)?.count ?? 0) + 1;
                outcomes.set(value, { ...outcome, count, atMs: time.nowMs() });
              };
              batcher.submit(row(value, rows, width), { signal: abort.signal }).then(
                (result) => note({ result }),
                (error: unknown) => note({ error }),
              );
              expect(batcher.depth).toBeLessThanOrEqual(limits.maxQueue);
            });
          await time.run();

          const ran = runs.flatMap(({ values }) => [...new Set(values)]);
          expect(new Set(ran).size, "each request runs at most once").toBe(ran.length);
          expect(ran, "in the order in which they came").toEqual(arrivals.filter((value) => ran.includes(value)));
          for (const { values } of runs) {
            const batched = [...new Set(values)].map((value) => requests[value]);
            const rows = batched.reduce((sum, one) => sum + (one?.rows ?? 0), 0);
            expect(rows <= limits.maxBatchSize || batched.length === 1).toBe(true);
            expect(new Set(batched.map((one) => one?.width)).size).toBe(1);
          }
          for (const [value, { rows, width, atMs, abortAfterMs }] of requests.entries()) {
            const outcome = outcomes.get(value);
            expect(outcome?.count, "each request is answered once").toBe(1);
            if (outcome?.result !== undefined) {
              expect(outcome.result.outputs["y"]).toEqual(row(value, rows, width).x);
              // Each batch before it takes a delay and a run at most, and there are no more batches than requests.
              const worstMs = (requests.length + 1) * (limits.maxDelayMs + runMs);
              expect(outcome.atMs - atMs, "nobody is starved").toBeLessThanOrEqual(worstMs);
              expect(outcome.result.batchSize).toBeGreaterThanOrEqual(rows);
            } else if (!(outcome?.error instanceof QueueFullError)) {
              expect(outcome?.error).toMatchObject({ message: "gone" });
              expect(abortAfterMs).toBeDefined();
              expect(outcome?.atMs, "an abort is answered at once").toBe(atMs + (abortAfterMs ?? 0));
            }
          }
          expect(batcher.depth).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("[BAT2] the head of an idle engine's queue waits no longer than the delay", async () => {
    const time = new VirtualTime();
    const runs: Runs = [];
    const batcher = new Batcher(
      echoEngine(time, () => 1, runs),
      { ...settings, clock: time },
    );
    for (let i = 0; i < 4; i++) void batcher.submit(row(i));
    time.after(10, () => void batcher.submit(row(4)));
    await time.run();
    expect(runs.map(({ values, startMs }) => [values, startMs])).toEqual([
      [[0, 1, 2, 3], 0],
      [[4], 12],
    ]);
  });

  it("[BAT1] runs requests together up to the batch size and reports queue time, compute time and batch size", async () => {
    const time = new VirtualTime();
    const batcher = new Batcher(
      echoEngine(time, (rows) => rows, []),
      { ...settings, clock: time },
    );
    const results = Promise.all([0, 1, 2, 3, 4].map((value) => batcher.submit(row(value))));
    await time.run();
    const timings = (await results).map(({ queueMs, computeMs, batchSize }) => [queueMs, computeMs, batchSize]);
    // The fifth waits for the first four (4 ms), then 0 ms more: its delay of 2 ms is over.
    expect(timings).toEqual([...Array.from({ length: 4 }, () => [0, 4, 4]), [4, 1, 1]]);
  });

  it("[BAT4] refuses when the queue is full, and takes more when it has moved", async () => {
    const time = new VirtualTime();
    const batcher = new Batcher(
      echoEngine(time, () => 1, []),
      { ...settings, maxQueue: 2, clock: time },
    );
    const first = [batcher.submit(row(0)), batcher.submit(row(1))];
    await expect(batcher.submit(row(2))).rejects.toThrow(new QueueFullError(2));
    await time.run();
    await Promise.all(first);
    const later = batcher.submit(row(3));
    await time.run();
    expect((await later).outputs["y"]).toEqual(row(3).x);
  });

  it("[BAT5] a request that does not fit is refused before it queues", async () => {
    const time = new VirtualTime();
    const batcher = new Batcher(
      echoEngine(time, () => 1, []),
      { ...settings, clock: time },
    );
    await expect(batcher.submit({ z: row(1).x })).rejects.toBeInstanceOf(EngineInputError);
    await expect(batcher.submit(row(0, 0))).rejects.toThrow(/at least 1 row, received 0 rows/);
    expect(batcher.depth).toBe(0);
  });

  it("[BAT5] a batch that one request's values spoil runs again one by one: only that request fails", async () => {
    await withEngine(lookup(), async (engine) => {
      const batcher = new Batcher(engine, settings);
      const index = (value: bigint) => ({ index: tensor("int64", [1], new BigInt64Array([value])) });
      const outcomes = await Promise.allSettled([0n, 99n, 3n].map((value) => batcher.submit(index(value))));
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(outcomes[1]).toMatchObject({ reason: expect.any(EngineRunError) });
      const rows = outcomes.map((outcome) =>
        outcome.status === "fulfilled" ? outcome.value.outputs["row"]?.data : null,
      );
      expect(rows).toEqual([new Float32Array([0, 1]), null, new Float32Array([30, 31])]);
    });
  });

  it("[BAT6] closing takes no more, runs what waits, and then resolves", async () => {
    const time = new VirtualTime();
    const runs: Runs = [];
    const batcher = new Batcher(
      echoEngine(time, () => 5, runs),
      { ...settings, clock: time },
    );
    const results = [0, 1, 2, 3, 4].map((value) => batcher.submit(row(value)));
    let isClosed = false;
    const closed = batcher.close().then(() => {
      isClosed = runs.length === 2;
    });
    await expect(batcher.submit(row(5))).rejects.toBeInstanceOf(EngineClosedError);
    await time.run();
    await Promise.all([...results, closed]);
    expect(isClosed).toBe(true);
    await batcher.close();
  });

  it("[BAT1] gives each request the outputs that it asked for, of a batch that runs the union", async () => {
    await withEngine(twoOutputs(), async (engine) => {
      const batcher = new Batcher(engine, settings);
      const inputs = (value: number) => {
        const three = tensor("float32", [1, 3], new Float32Array([value, value, value]));
        return { a: three, b: three };
      };
      const [sum, difference, both] = await Promise.all([
        batcher.submit(inputs(1), { outputs: ["sum"] }),
        batcher.submit(inputs(2), { outputs: ["difference"] }),
        batcher.submit(inputs(3)),
      ]);
      expect(sum.batchSize).toBe(3);
      expect(sum.outputs).toEqual({ sum: tensor("float32", [1, 3], new Float32Array([2, 2, 2])) });
      expect(difference.outputs).toEqual({ difference: tensor("float32", [1, 3], new Float32Array(3)) });
      expect(Object.keys(both.outputs)).toEqual(["sum", "difference"]);
      expect(engine.stats().runs).toBe(1);
    });
  });

  it("[BAT1][BAT4] under a storm of callers that come, go and overrun the queue, every answer is the caller's own", async () => {
    await withEngine(twoOutputs(), async (engine) => {
      const batcher = new Batcher(engine, { maxBatchSize: 16, maxDelayMs: 1, maxQueue: 64 });
      const seed = 20_240_611;
      let state = seed;
      const random = (below: number): number => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return state % below;
      };
      const counts = { answered: 0, refused: 0, aborted: 0 };
      const caller = async (who: number): Promise<void> => {
        for (let i = 0; i < 40; i++) {
          const rows = 1 + random(3);
          const a = tensor(
            "float32",
            [rows, 3],
            Float32Array.from({ length: rows * 3 }, () => random(1000)),
          );
          const b = tensor("float32", [rows, 3], new Float32Array(rows * 3).fill(who));
          const abort = new AbortController();
          if (random(10) === 0) setImmediate(() => abort.abort(new Error("gone")));
          try {
            const { outputs } = await batcher.submit({ a, b }, { outputs: ["sum"], signal: abort.signal });
            expect(outputs["sum"]?.data).toEqual(Float32Array.from(a.data, (value) => Number(value) + who));
            counts.answered++;
          } catch (error) {
            if (error instanceof QueueFullError) counts.refused++;
            else if ((error as Error).message === "gone") counts.aborted++;
            else throw error;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      };
      await Promise.all(Array.from({ length: 96 }, (_, who) => caller(who)));
      expect(counts.answered + counts.refused + counts.aborted).toBe(96 * 40);
      expect(counts.answered).toBeGreaterThan(1000);
      expect(counts.refused).toBeGreaterThan(0);
      expect(counts.aborted).toBeGreaterThan(0);
      expect(batcher.depth).toBe(0);
    });
  });
});

async function withEngine(bytes: Uint8Array, use: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await withArtifact(bytes, (path) => loadOnnxEngine(path, { threads: 1, name: "test" }));
  try {
    await use(engine);
  } finally {
    await engine.close();
  }
}
