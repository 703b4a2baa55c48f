/** @file The queue before an engine: requests wait there, run together where the model allows it, and get their own rows back. */
import type { Tensor } from "@gristmill/onnx";
import { checkInputs } from "../check-inputs.ts";
import type { Engine, InferOptions } from "../engine.ts";
import { EngineClosedError, EngineError, EngineInputError, QueueFullError } from "../errors.ts";
import { expectedCompany } from "./policies/expected-company.ts";
import type { BatchPolicy, BatchSettings, Decision, QueueState } from "./policy.ts";
import { batchKey, isBatchable, joinRows, rowsOf, splitRows } from "./rows.ts";

/** Time as the batcher needs it; tests have their own. */
export interface BatchClock {
  nowMs(): number;
  /** Calls once, unless the returned function is called before. */
  after(ms: number, call: () => void): () => void;
  /** Calls after what has arrived meanwhile (messages, sockets) was read: the queue is then as full as it can be. */
  afterArrivals(call: () => void): void;
}

/** This process's time. */
export const systemClock: BatchClock = {
  nowMs: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  // The first turn may be the rest of the one that is running; the second comes after a whole poll for input.
  afterArrivals: (call) => void setImmediate(() => setImmediate(call)),
};

/** What a batcher is made from. */
export interface BatcherOptions extends BatchSettings {
  readonly clock?: BatchClock;
  readonly policy?: BatchPolicy;
}

/** A request's own outputs, and where its time went. */
export interface BatchedResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly queueMs: number;
  readonly computeMs: number;
  /** Rows that ran together. */
  readonly batchSize: number;
}

interface Request {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[] | undefined;
  readonly rows: number;
  readonly key: string;
  readonly arrivedMs: number;
  resolve(result: BatchedResult): void;
  reject(error: unknown): void;
}

/** Batches requests to one engine, in the order in which they came. */
export class Batcher {
  readonly #engine: Engine;
  readonly #settings: BatchSettings;
  readonly #clock: BatchClock;
  readonly #policy: BatchPolicy;
  readonly #isBatchable: boolean;
  readonly #queue: Request[] = [];
  #lastBatch = 0;
  /** A look at the queue is due, or a batch is running: no second one is started. */
  #isBusy = false;
  #cancelWait: (() => void) | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(engine: Engine, { clock = systemClock, policy = expectedCompany, ...settings }: BatcherOptions) {
    this.#engine = engine;
    this.#settings = settings;
    this.#clock = clock;
    this.#policy = policy;
    this.#isBatchable = isBatchable(engine.signature);
  }

  /** True when requests to this model can run together. */
  get isBatchable(): boolean {
    return this.#isBatchable;
  }

  /** Requests that wait. */
  get depth(): number {
    return this.#queue.length;
  }

  /**
   * Checks the request, then queues it.
   * @throws EngineInputError before it queues; QueueFullError; EngineClosedError; `signal.reason`; EngineRunError.
   */
  async submit(inputs: Request["inputs"], { outputs, signal }: InferOptions = {}): Promise<BatchedResult> {
    if (this.#closing !== undefined) throw new EngineClosedError();
    signal?.throwIfAborted();
    const { signature } = this.#engine;
    checkInputs(signature, inputs, outputs);
    const rows = this.#isBatchable ? rowsOf(signature, inputs) : 1;
    if (rows < 1) throw new EngineInputError(signature.inputs[0]?.name ?? "", "at least 1 row", "0 rows");
    if (this.#queue.length >= this.#settings.maxQueue) throw new QueueFullError(this.#settings.maxQueue);
    const { promise, resolve, reject } = Promise.withResolvers<BatchedResult>();
    const key = this.#isBatchable ? batchKey(signature, inputs) : "";
    const request: Request = { inputs, outputs, rows, key, arrivedMs: this.#clock.nowMs(), resolve, reject };
    this.#queue.push(request);
    this.#look();
    if (signal === undefined) return await promise;
    const onAbort = (): void => {
      const at = this.#queue.indexOf(request);
      if (at >= 0) this.#queue.splice(at, 1);
      // Of one that runs already, only the answer is dropped.
      reject(signal.reason);
      this.#settleClosing();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Takes no more, runs what waits, and resolves when all is answered. Does not close the engine. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>();
    this.#look();
    this.#settleClosing();
    return this.#closing.promise;
  }

  /** Looks at the queue once everything that has arrived is in it. */
  #look(): void {
    if (this.#isBusy || this.#queue.length === 0) return;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#isBusy = true;
    this.#clock.afterArrivals(() => this.#decide());
  }

  #decide(): void {
    this.#isBusy = false;
    if (this.#queue.length === 0) {
      this.#settleClosing();
      return;
    }
    const decision = this.#decision();
    if ("waitMs" in decision) {
      this.#cancelWait = this.#clock.after(decision.waitMs, () => this.#look());
      return;
    }
    this.#isBusy = true;
    const batch = this.#queue.splice(0, decision.run);
    this.#lastBatch = batch.length;
    void this.#run(batch).finally(() => {
      this.#isBusy = false;
      this.#look();
      this.#settleClosing();
    });
  }

  #decision(): Decision {
    const candidates = this.#candidates();
    const isClosed = candidates.length < this.#queue.length || !this.#isBatchable || this.#closing !== undefined;
    const state: QueueState = { candidates, isClosed, lastBatch: this.#lastBatch };
    const decision = this.#policy(state, this.#clock.nowMs(), this.#settings);
    if ("waitMs" in decision) return decision;
    // Nobody is starved by a policy that says 0, and nothing unfit joins by one that says too much.
    return { run: Math.min(Math.max(1, decision.run), candidates.length) };
  }

  /** The longest run of requests from the head whose sizes are the head's and whose rows fit. */
  #candidates(): Request[] {
    const candidates: Request[] = [];
    let rows = 0;
    for (const request of this.#queue) {
      const isFirst = candidates.length === 0;
      if (!isFirst && !this.#isBatchable) break;
      if (!isFirst && (request.key !== candidates[0]?.key || rows + request.rows > this.#settings.maxBatchSize)) break;
      candidates.push(request);
      rows += request.rows;
    }
    return candidates;
  }

  async #run(batch: readonly Request[]): Promise<void> {
    const startMs = this.#clock.nowMs();
    try {
      const inputs = joinRows(
        this.#engine.signature,
        batch.map((request) => request.inputs),
      );
      const wanted = wantedOutputs(batch);
      const { outputs, computeMs } = await this.#engine.infer(inputs, wanted && { outputs: wanted });
      const batchSize = batch.reduce((sum, { rows }) => sum + rows, 0);
      if (batch.length > 1) assertRows(outputs, batchSize);
      const parts = splitRows(
        outputs,
        batch.map(({ rows }) => rows),
      );
      for (const [i, request] of batch.entries())
        request.resolve({
          outputs: chosen(parts[i] ?? {}, request.outputs),
          queueMs: startMs - request.arrivedMs,
          computeMs,
          batchSize,
        });
    } catch (error) {
      // Values, unlike sizes, can't be checked before: an index out of range in one request fails its whole batch. Alone,
      // only that one fails; and a model whose outputs are not by row, against its declaration, is right alone.
      if (batch.length > 1) for (const request of batch) await this.#run([request]);
      else batch[0]?.reject(error);
    }
  }

  #settleClosing(): void {
    if (!this.#isBusy && this.#queue.length === 0) this.#closing?.resolve();
  }
}

/** Outputs that some request of a batch wants; undefined: all. */
function wantedOutputs(batch: readonly Request[]): readonly string[] | undefined {
  const wanted = new Set<string>();
  for (const { outputs } of batch) {
    if (outputs === undefined) return undefined;
    for (const name of outputs) wanted.add(name);
  }
  return [...wanted];
}

const chosen = (outputs: Readonly<Record<string, Tensor>>, names: readonly string[] | undefined) =>
  names === undefined ? outputs : Object.fromEntries(Object.entries(outputs).filter(([name]) => names.includes(name)));

/** A declaration can be wrong: an output whose rows are not the requests' must not be dealt out to them. */
function assertRows(outputs: Readonly<Record<string, Tensor>>, rows: number): void {
  for (const [name, { shape }] of Object.entries(outputs))
    if (shape[0] !== rows)
      throw new EngineError(`output "${name}": expected ${rows} rows, as the inputs have, received ${shape[0]}`);
}
