/** @file A session runs one model: inputs in, outputs out, one run at a time. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { SessionError } from "../errors.ts";
import { encodeModel } from "../format/encode.ts";
import { writeModelFile } from "../format/model-file.ts";
import type { Model } from "../graph/graph.ts";
import { weightBytes } from "../graph/weights.ts";
import type { Tensor } from "../tensor.ts";
import { asTheRuntimeWants } from "./bodies.ts";
import { checkFeeds, checkFetches } from "./feeds.ts";
import { type NativeSession, openNative, type Port, type RuntimeSettings } from "./runtime.ts";

/** How a session is opened. */
export interface SessionOptions {
  /** Threads of one run; all cores available to the process when not said. */
  readonly threads?: number;
  /**
   * False: threads sleep between runs instead of waiting busily for the next one. True when not said: fastest where runs
   * follow each other without a pause; where they don't, it burns a core for each thread.
   */
  readonly spinning?: boolean;
  /** Graph rewriting by the runtime: "all" when not said; "none" runs the graph as written. */
  readonly optimization?: "all" | "basic" | "none";
  /** Sizes for named axes, so that the runtime can plan with them. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /**
   * Models with weights of more bytes are handed to the runtime as files, since one message cannot hold them; nearly 2 GiB
   * when not said.
   */
  readonly inMemoryUpToBytes?: number;
  /** Folder for those files, which are removed when the session closes; the system's temporary folder when not said. */
  readonly scratchFolder?: string;
  /** Path prefix of a profile in Chrome's trace format, written when the session closes. */
  readonly profile?: string;
  /** Checked before and after loading, which cannot be interrupted. */
  readonly signal?: AbortSignal;
  /** What errors call this session; the file's or the graph's name when not said. */
  readonly name?: string;
  /** Milliseconds from any fixed point; `performance.now` when not said. */
  readonly now?: () => number;
}

/** What one run shall do. */
export interface RunOptions {
  /** Outputs to compute; all when not said. */
  readonly outputs?: readonly string[];
  /**
   * Tensors that outputs are written into. One may share memory with an input only where the graph reads that input
   * for nothing else than this output: the runtime may write it before other nodes have read the input, and says nothing.
   */
  readonly into?: Readonly<Record<string, Tensor>>;
  /** Checked while the run waits its turn, and just before it starts. */
  readonly signal?: AbortSignal;
}

/** Outputs by name, and the time in native code. */
export interface RunResult {
  readonly outputs: Record<string, Tensor>;
  readonly elapsedMs: number;
}

/**
 * A loaded model.
 *
 * A run is synchronous in native code: it blocks the event loop of its process from start to end, so a signal works
 * only between runs. To stop a run that is under way, end the process that hosts the session.
 */
export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs the model. Calls queue, and run in the order in which they came.
   * @throws SessionError, ShapeError, DtypeError when a tensor does not fit, or the runtime refuses; `signal.reason` when aborted.
   */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<RunResult>;
  readonly timings: { readonly loadMs: number; readonly runs: number; readonly totalRunMs: number };
  /** Releases the model after the run under way; runs that still wait are refused. Closing twice is fine. */
  close(): Promise<void>;
}

/** Most runs that may wait in one session. Beyond it a caller has lost control of its own load. */
const longestQueue = 1024;

/**
 * Opens a session on an ONNX file's bytes, on a model, or on the file at a path.
 * @throws SessionError with the file's or session's name when the runtime refuses the model; `signal.reason` when aborted.
 */
export async function createSession(
  model: Uint8Array | Model | string,
  options: SessionOptions = {},
): Promise<Session> {
  const name = options.name ?? nameOf(model);
  const now = options.now ?? (() => performance.now());
  const threads = options.threads ?? availableParallelism();
  if (!Number.isInteger(threads) || threads < 1)
    throw new SessionError(name, `expected threads to be a whole number from 1, received ${threads}`);
  options.signal?.throwIfAborted();
  const start = now();
  const native = await openModel(name, model, options, threads);
  const loadMs = now() - start;
  if (options.signal?.aborted) {
    await native.release();
    options.signal.throwIfAborted();
  }
  return new QueuedSession(name, native, now, loadMs);
}

function nameOf(model: Uint8Array | Model | string): string {
  if (typeof model === "string") return basename(model);
  return model instanceof Uint8Array ? "model" : model.graph.name;
}

async function openModel(
  name: string,
  given: Uint8Array | Model | string,
  options: SessionOptions,
  threads: number,
): Promise<NativeSession> {
  const settings: RuntimeSettings = {
    threads,
    spinning: options.spinning ?? true,
    optimization: options.optimization ?? "all",
    dimensions: options.dimensions ?? {},
    profile: options.profile,
  };
  try {
    const model = asTheRuntimeWants(given);
    if (typeof model === "string" || model instanceof Uint8Array) return await openNative(model, settings);
    if (weightBytes(model) <= (options.inMemoryUpToBytes ?? mostInMemory))
      return await openNative(encodeModel(model), settings);
    return await openThroughFiles(model, options.scratchFolder ?? tmpdir(), settings);
  } catch (cause) {
    throw new SessionError(name, `the model cannot be loaded: ${messageOf(cause)}`, { cause });
  }
}

/** A protobuf message ends at 2 GiB; what is no weight has 64 MiB of it. */
const mostInMemory = 2 ** 31 - 2 ** 26;

/** Opens a model that no one message holds: weights beside it, in files that go with the session. */
async function openThroughFiles(model: Model, scratch: string, settings: RuntimeSettings): Promise<NativeSession> {
  const folder = mkdtempSync(join(scratch, "gristmill-model-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "model.onnx");
    writeModelFile(path, model, { oneFileUpToBytes: 0 });
    const native = await openNative(path, settings);
    // the runtime maps the weights, and may read them for as long as it lives
    return { ...native, release: () => native.release().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

class QueuedSession implements Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly #name: string;
  readonly #native: NativeSession;
  readonly #now: () => number;
  readonly #loadMs: number;
  #runs = 0;
  #totalRunMs = 0;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(name: string, native: NativeSession, now: () => number, loadMs: number) {
    this.#name = name;
    this.#native = native;
    this.#now = now;
    this.#loadMs = loadMs;
    this.inputs = native.inputs;
    this.outputs = native.outputs;
  }

  get timings(): { readonly loadMs: number; readonly runs: number; readonly totalRunMs: number } {
    return { loadMs: this.#loadMs, runs: this.#runs, totalRunMs: this.#totalRunMs };
  }

  async run(feeds: Readonly<Record<string, Tensor>>, options: RunOptions = {}): Promise<RunResult> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    const wanted = options.outputs ?? this.outputs.map((port) => port.name);
    const into = options.into ?? {};
    checkFeeds(this.#name, this.inputs, feeds);
    checkFetches(this.#name, this.outputs, wanted, into);
    if (this.#waiting >= longestQueue)
      throw new SessionError(this.#name, `${longestQueue} runs are waiting already; wait for some of them first`);
    const fetches = Object.fromEntries(wanted.map((output) => [output, into[output]]));
    this.#waiting++;
    const turn = this.#last.then(() => this.#runNow(feeds, fetches, options.signal));
    // the next run waits for this one, whatever becomes of it
    this.#last = turn.catch(() => undefined);
    try {
      return await orAborted(turn, options.signal);
    } finally {
      this.#waiting--;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => this.#native.release());
    return this.#closing;
  }

  async #runNow(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Readonly<Record<string, Tensor | undefined>>,
    signal: AbortSignal | undefined,
  ): Promise<RunResult> {
    this.#assertOpen();
    signal?.throwIfAborted();
    const start = this.#now();
    try {
      const outputs = await this.#native.run(feeds, fetches);
      const elapsedMs = this.#now() - start;
      this.#runs++;
      this.#totalRunMs += elapsedMs;
      return { outputs, elapsedMs };
    } catch (cause) {
      throw new SessionError(this.#name, `the run failed: ${messageOf(cause)}`, { cause });
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new SessionError(this.#name, "the session is closed; open a new one");
  }
}

/** A promise's result, or the reason of a signal that fires first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
