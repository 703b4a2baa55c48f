/** @file Time that passes only when told, and an engine that takes as long as it is told. */
import { tensor } from "@gristmill/onnx";
import type { BatchClock } from "../batching/batcher.ts";
import type { Engine } from "../engine.ts";

/** Events in the order of their time, then of their making. */
export class VirtualTime implements BatchClock {
  #now = 0;
  #made = 0;
  #events: { readonly at: number; readonly order: number; readonly call: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const event = { at: this.#now + ms, order: this.#made++, call };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter((other) => other !== event);
    };
  }

  afterArrivals(call: () => void): void {
    this.after(0, call);
  }

  /** Lets time pass until nothing is left to happen. */
  async run(): Promise<void> {
    for (;;) {
      // Promises that the last event resolved go on first: they may make events for this very moment.
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#events.sort((a, b) => a.at - b.at || a.order - b.order);
      if (next === undefined) return;
      this.#events = this.#events.filter((event) => event !== next);
      this.#now = next.at;
      next.call();
    }
  }
}

/** Batches that an engine has run: their values in order. */
export type Runs = { readonly values: readonly number[]; readonly startMs: number; readonly endMs: number }[];

/** `y = x` on float32 [batch, width], one run at a time, `runMs` long each. Keeps what it ran. */
export function echoEngine(time: VirtualTime, runMs: (rows: number) => number, runs: Runs): Engine {
  let isRunning = false;
  const port = (name: string) => ({ name, dtype: "float32" as const, shape: ["batch", "width"] });
  return {
    signature: { inputs: [port("x")], outputs: [port("y")] },
    async infer(inputs) {
      if (isRunning) throw new Error("two runs at once");
      isRunning = true;
      const x = inputs["x"];
      if (x === undefined) throw new Error("no x");
      const startMs = time.nowMs();
      await new Promise<void>((resolve) => time.after(runMs(x.shape[0] ?? 0), resolve));
      isRunning = false;
      runs.push({ values: [...(x.data as Float32Array)], startMs, endMs: time.nowMs() });
      return { outputs: { y: tensor("float32", x.shape, x.data as Float32Array) }, computeMs: time.nowMs() - startMs };
    },
    stats: () => ({ loadMs: 0, runs: runs.length, totalRunMs: 0 }),
    close: async () => undefined,
  };
}
