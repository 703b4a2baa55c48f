/** @file The training loop: epochs of runs of the training program. It owns the order of things; the program does the work. */
import { type Session, type Tensor, tensor } from "@gristmill/onnx";
import type { TrainingProgram } from "../compile/training-program.ts";
import { DataError, NonFiniteLossError } from "../errors.ts";
import type { Metric } from "../metrics/metric.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { keyOf } from "../random/hash.ts";
import { Callbacks } from "./callbacks.ts";
import { type Callback, emptyMemory } from "./control.ts";
import { dataTensor, numbersOf, reportsOf, tensorsOf } from "./evaluate.ts";
import type { Feed, Run } from "./feed.ts";
import { type EpochResult, type History, historyOf, type Progress, ScoreSum, type Scores } from "./history.ts";
import { Pace } from "./pace.ts";
import { running } from "./run-failure.ts";
import { elementsOf } from "./source.ts";
import { copyState, emptyLike, firstNonFinite, type StateArrays, type TrainingState } from "./state.ts";

/** A session of the training program for batches of one size and kind. */
export interface Trainer {
  readonly session: Session;
  readonly program: TrainingProgram;
}

/** What the loop needs of a model. */
export interface Training {
  readonly state: TrainingState;
  readonly optimizer: Optimizer;
  readonly metrics: ReadonlyMap<string, Metric>;
  /** Names of the model's outputs. */
  readonly outputs: readonly string[];
  readonly seed: number;
  /** Ids of the model's weights. */
  readonly weights: readonly string[];
  save(): Uint8Array<ArrayBuffer>;
  trainer(run: Run): Promise<Trainer>;
  /** The batches of an epoch; `epoch` counts all epochs that the model has trained, from 0. */
  open(epoch: number): Feed;
  /** Scores on the validation data, where there is such. */
  readonly validate: (() => Promise<Scores>) | undefined;
}

/** How to train. */
export interface LoopOptions {
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly onEpochEnd: ((result: EpochResult) => void | Promise<void>) | undefined;
  readonly callbacks: readonly Callback[];
  /** Validates every so many epochs, or after those of this list. */
  readonly validationFreq: number | readonly number[];
  /** Gathers the next run's batches while the program runs. */
  readonly prefetch: boolean;
  /** Milliseconds from any fixed point. */
  readonly now: () => number;
}

const purpose = 0xd0; // keeps dropout's keys apart from other uses of the same seed

/** @throws NonFiniteLossError with the state of the last good epoch in place; `signal.reason` when aborted. */
export async function trainLoop(training: Training, options: LoopOptions): Promise<History> {
  const { state } = training;
  if (options.initialEpoch === 0) state.memory = emptyMemory();
  const runner = new Runner(training);
  const place = { epoch: options.initialEpoch, validates: training.validate !== undefined };
  const callbacks = new Callbacks(training, place, options.callbacks);
  const results: EpochResult[] = [];
  try {
    await callbacks.begin();
    for (let epoch = options.initialEpoch + 1; epoch <= options.epochs && callbacks.stopped === undefined; epoch++) {
      const result = await trainEpoch(training, runner, callbacks, options, epoch);
      state.epoch++;
      place.epoch = epoch;
      runner.keepGood();
      const validation = isDue(epoch, options.validationFreq) ? await training.validate?.() : undefined;
      const full: EpochResult = { ...result, validation };
      results.push(full);
      await callbacks.epochEnd(full);
      runner.keepGood();
      await options.onEpochEnd?.(full);
    }
  } catch (error) {
    await callbacks.end(undefined).catch(() => undefined); // the first failure is the one to hear of
    throw error;
  }
  const { stopped } = callbacks;
  const history = { ...historyOf(results), ...(stopped === undefined ? {} : { stopped }) };
  await callbacks.end(history);
  return history;
}

const isDue = (epoch: number, freq: number | readonly number[]): boolean =>
  typeof freq === "number" ? epoch % freq === 0 : freq.includes(epoch);

async function trainEpoch(
  training: Training,
  runner: Runner,
  callbacks: Callbacks,
  options: LoopOptions,
  epoch: number,
): Promise<Omit<EpochResult, "validation">> {
  const { signal, now } = options;
  const { state, optimizer } = training;
  const feed = training.open(state.epoch);
  const sum = new ScoreSum(training.metrics, training.outputs);
  const start = now();
  let step = 0;
  let waiting: Promise<Run | undefined> | undefined;
  const next = (): Promise<Run | undefined> => feed.next(runner.pace?.steps ?? 1);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const run = await (waiting ?? next());
      if (run === undefined) break;
      signal?.throwIfAborted();
      waiting = options.prefetch && runner.pace !== undefined ? next() : undefined;
      waiting?.catch(() => undefined); // who waits for it has the error
      const { outputs, program } = await runner.run(run, epoch, step);
      sum.add(run.batch, run.steps, program.reports, reportsOf(outputs));
      step += run.steps;
      const samplesPerSecond = (sum.samples / Math.max(now() - start, 1e-6)) * 1000;
      const left = feed.samples === undefined ? undefined : feed.samples * (options.epochs - epoch + 1) - sum.samples;
      const progress: Progress = {
        ...sum.scores(),
        epoch,
        epochs: options.epochs,
        step,
        steps: feed.steps,
        samplesPerSecond,
        secondsLeft: left === undefined ? undefined : left / samplesPerSecond,
      };
      options.onProgress?.(progress);
      await callbacks.runEnd(progress);
    }
  } finally {
    await waiting?.catch(() => undefined);
    await feed.close?.();
  }
  if (step === 0)
    throw new DataError(
      `epoch ${epoch}: expected at least one batch, received none; does the stream begin anew in each epoch?`,
    );
  runner.assertFinite(epoch, step);
  const seconds = (now() - start) / 1000;
  return {
    ...sum.scores(),
    epoch,
    steps: step,
    samples: sum.samples,
    seconds,
    samplesPerSecond: sum.samples / Math.max(seconds, 1e-9),
    learningRate: optimizer.rate?.(Math.max(1, state.step), state.rateFactor),
  };
}

/** The first number of a step's batch that is none: "x/input: sample 3 of the batch has NaN (x[17])". */
function badSample({ arrays, columns, batch, placeOf }: Run, step: number): string | undefined {
  for (const [name, array] of Object.entries(arrays)) {
    if (!(array instanceof Float32Array)) continue;
    const size = elementsOf(columns[name]?.shape ?? []);
    const rows = array.subarray(step * batch * size, (step + 1) * batch * size);
    const at = rows.findIndex((value) => !Number.isFinite(value));
    const row = Math.floor(at / Math.max(1, size));
    if (at >= 0)
      return `${name}: sample ${row + 1} of the batch has ${rows[at]} (${name.split("/")[0]}${placeOf(step * batch + row)})`;
  }
  return undefined;
}

/** Runs the program: feeds it, and keeps three sets of state: the one in force, the one being written, the last good one. */
class Runner {
  readonly #training: Training;
  #spare: StateArrays;
  #good: TrainingState;
  #batch: number | undefined;
  #pace: Pace | undefined;

  constructor(training: Training) {
    this.#training = training;
    this.#spare = emptyLike(training.state.arrays);
    this.#good = { ...training.state, arrays: copyState(training.state.arrays) };
  }

  get pace(): Pace | undefined {
    return this.#pace;
  }

  /** Notes the state as good. */
  keepGood(): void {
    const { state } = this.#training;
    for (const [id, data] of state.arrays) this.#good.arrays.get(id)?.set(data);
    this.#good = { ...this.#good, step: state.step, epoch: state.epoch, rateFactor: state.rateFactor };
  }

  /** Some steps; `before` counts the steps of this epoch that are done. */
  async run(
    run: Run,
    epoch: number,
    before: number,
  ): Promise<{ outputs: Readonly<Record<string, Tensor>>; program: TrainingProgram }> {
    const { state, trainer } = this.#training;
    const bytes = Object.values(run.arrays).reduce((sum, array) => sum + array.byteLength, 0);
    this.#pace ??= new Pace(bytes / run.steps);
    this.#batch ??= run.batch;
    const { session, program } = await trainer(run);
    const spare = this.#spare;
    const into = Object.fromEntries(tensorsOf(session, spare, "next/"));
    const { outputs, elapsedMs } = await running(session.run(this.#feeds(run, session, program), { into }));
    if (run.batch === this.#batch) this.#pace.note(run.steps, elapsedMs);
    const losses = numbersOf(outputs["report/loss"]);
    const bad = losses.findIndex((loss) => !Number.isFinite(loss));
    if (bad >= 0) throw this.#backToGood(epoch, before + bad + 1, losses[bad] ?? Number.NaN, badSample(run, bad));
    this.#spare = state.arrays;
    state.arrays = spare;
    state.step += run.steps;
    return { outputs, program };
  }

  /** The last step's loss was taken before its update: look at what the update made. */
  assertFinite(epoch: number, step: number): void {
    if (firstNonFinite(this.#training.state.arrays) !== undefined) throw this.#backToGood(epoch, step, Number.NaN);
  }

  #backToGood(epoch: number, step: number, loss: number, data?: string): NonFiniteLossError {
    const { state } = this.#training;
    state.arrays = copyState(this.#good.arrays);
    state.step = this.#good.step;
    state.epoch = this.#good.epoch;
    state.rateFactor = this.#good.rateFactor;
    return new NonFiniteLossError({ epoch, step, loss, data });
  }

  #feeds(run: Run, session: Session, program: TrainingProgram): Record<string, Tensor> {
    const { state, optimizer, seed } = this.#training;
    const { steps, batch } = run;
    const wanted = new Set(session.inputs.map(({ name }) => name));
    const each = Array.from({ length: steps }, (_, i) => state.step + i + 1); // steps count from 1
    const scalars = each.map((step) => optimizer.scalars(step, state.rateFactor));
    return {
      count: tensor("int64", [], BigInt64Array.of(BigInt(steps))),
      ...Object.fromEntries(
        Object.entries(run.arrays)
          .filter(([name]) => wanted.has(name))
          .map(([name, array]) => [name, dataTensor([steps, batch, ...(run.columns[name]?.shape ?? [])], array)]),
      ),
      ...Object.fromEntries(
        program.scalars.map((name) => [
          `scalar/${name}`,
          tensor(
            "float32",
            [steps],
            Float32Array.from(scalars, (values) => values[name] ?? Number.NaN),
          ),
        ]),
      ),
      ...Object.fromEntries(
        program.randomPlaces.map((name, place) => [
          `random/${name}`,
          tensor(
            "uint32",
            [steps],
            Uint32Array.from(each, (step) => keyOf(seed, purpose, place, step)),
          ),
        ]),
      ),
      ...Object.fromEntries(tensorsOf(session, state.arrays)),
    };
  }
}
