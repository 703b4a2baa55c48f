/** @file Settings of fit, evaluate and predict: Keras' names and defaults, checked once. */
import { NnError } from "../errors.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { suggestion } from "../schema/suggest.ts";
import type { ClassWeight } from "../training/class-weight.ts";
import type { Callback } from "../training/control.ts";
import type { BatchStream } from "../training/feed.ts";
import type { EpochResult, Progress } from "../training/history.ts";
import type { LabelledData, NamedSamples, Source, Table } from "../training/source.ts";

/** Settings of `predict`. */
export interface PredictOptions {
  /** Samples per run, 128, or the batch of a stateful layer. It changes the speed only. Batches of a stream have their own sizes. */
  readonly batchSize?: number;
  /** Threads of a run; all cores when left out. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Batches to look at; all when left out. For streams without an end. */
  readonly steps?: number | undefined;
}

/** Settings of `evaluate`. */
export interface EvaluateOptions extends PredictOptions {
  /** How much each sample counts, [count], or each answer, [count, ...]; by output where there are several. With arrays only. */
  readonly sampleWeight?: NamedSamples | undefined;
}

/** Settings of `fit`. */
export interface FitOptions {
  /** The last epoch's number, 1. */
  readonly epochs?: number;
  /** Epochs to count as done already, 0: a resumed training shows the right numbers. */
  readonly initialEpoch?: number;
  /** 32, or that of a stateful layer; batches of a stream have their own sizes. */
  readonly batchSize?: number;
  /** Share of the samples, the last ones, that validate instead of training; 0. */
  readonly validationSplit?: number;
  readonly validationData?: LabelledData | Source | Table | BatchStream;
  /** Batches to validate on; all when left out, or when there are fewer. */
  readonly validationSteps?: number;
  /** Samples of a batch to validate on; `batchSize` when left out. */
  readonly validationBatchSize?: number;
  /** Validates every so many epochs, 1; or after those of a list. */
  readonly validationFreq?: number | readonly number[];
  /**
   * Batches of an epoch. Arrays and tables are gone on with where the last epoch stopped, also in a resumed training;
   * so are iterables, within one call of fit; a function of the epoch is asked anew. All batches when left out.
   */
  readonly stepsPerEpoch?: number;
  /** How much each sample counts, [count], or each answer, [count, ...]; by output where there are several. With arrays only. */
  readonly sampleWeight?: NamedSamples;
  /** Another order in each epoch, true. */
  readonly shuffle?: boolean;
  /** For order and dropout, instead of the model's. */
  readonly seed?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Awaited. The model may be saved, evaluated or asked here. */
  readonly onEpochEnd?: (result: EpochResult) => void | Promise<void>;
  /** Stops before the next run (runs take about 0.2 s); weights stay those of the last run. */
  readonly signal?: AbortSignal;
  /** Follow the training: stop it, save it, log it. In this order; the one that saves last. */
  readonly callbacks?: readonly Callback[];
  /** How much samples of each label count, by label: { 0: 1, 1: 5 }; those left out count 1. By output where there are several. */
  readonly classWeight?: ClassWeight | Readonly<Record<string, ClassWeight>>;
  /**
   * Layers whose inside is computed again on the way back instead of being kept, by name; true for all with weights. Less
   * memory for deep stacks, about a third more time, the same numbers.
   */
  readonly recompute?: boolean | readonly string[];
  /** Gathers the next batches while the program runs, true: sources that wait (files, workers) wait meanwhile. Twice the buffers. */
  readonly prefetch?: boolean;
  readonly threads?: number;
  /** Milliseconds from any fixed point, for rates; `performance.now`. */
  readonly now?: () => number;
}

/** @throws NnError unless it is a whole number from `least`. */
export function wholeNumber(value: number, name: string, least: number): number {
  if (!Number.isSafeInteger(value) || value < least)
    throw new NnError(`${name}: expected a whole number from ${least}, received ${shown(value)}`);
  return value;
}

const predictNames = ["batchSize", "threads", "signal", "steps"] satisfies readonly (keyof PredictOptions)[];
const evaluateNames = [...predictNames, "sampleWeight"] satisfies readonly (keyof EvaluateOptions)[];
const fitNames = Object.keys({
  epochs: true,
  initialEpoch: true,
  batchSize: true,
  validationSplit: true,
  validationData: true,
  validationSteps: true,
  validationBatchSize: true,
  validationFreq: true,
  stepsPerEpoch: true,
  sampleWeight: true,
  shuffle: true,
  seed: true,
  onProgress: true,
  onEpochEnd: true,
  signal: true,
  callbacks: true,
  classWeight: true,
  recompute: true,
  prefetch: true,
  threads: true,
  now: true,
} satisfies Record<keyof FitOptions, true>);

/** @throws NnError for a setting that does not exist, which would else be a setting that does nothing. */
function checkNames(method: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new NnError(
      `${method}: unknown option "${unknown}"${suggestion(unknown, known)}; known: ${known.join(", ")}`,
    );
}

/** @throws NnError unless it is left out or a whole number from 1. */
export const atLeastOne = (value: number | undefined, name: string): number | undefined =>
  value === undefined ? undefined : wholeNumber(value, name, 1);

const readFreq = (freq: number | readonly number[]): number | readonly number[] =>
  typeof freq === "number"
    ? wholeNumber(freq, "validationFreq", 1)
    : freq.map((epoch, i) => wholeNumber(epoch, `validationFreq[${i}]`, 1));

/** Settings of `evaluate` and `predict`, with defaults. @throws NnError naming the one that is wrong. */
export function readPredictOptions(method: "evaluate" | "predict", options: EvaluateOptions = {}, usualBatch = 128) {
  const { batchSize, threads, signal, steps } = options;
  checkNames(method, options, method === "predict" ? predictNames : evaluateNames);
  return {
    batchSize: wholeNumber(batchSize ?? usualBatch, "batchSize", 1),
    threads: atLeastOne(threads, "threads"),
    steps: atLeastOne(steps, "steps"),
    signal,
  };
}

function checkCallbacks(callbacks: unknown): void {
  const wrong = Array.isArray(callbacks)
    ? callbacks.find((one) => !isRecord(one) || typeof one["name"] !== "string")
    : callbacks;
  if (wrong !== undefined)
    throw new NnError(`callbacks: expected a list of objects with a name and methods, received ${shown(wrong)}`);
}

/** Settings of `fit`, with defaults. @throws NnError naming the one that is wrong. */
export function readFitOptions(options: FitOptions = {}, usualBatch = 32) {
  checkNames("fit", options, fitNames);
  checkCallbacks(options.callbacks ?? []);
  const split = options.validationSplit ?? 0;
  if (!(split >= 0 && split < 1))
    throw new NnError(`validationSplit: expected a number from 0 up to but without 1, received ${shown(split)}`);
  const batchSize = wholeNumber(options.batchSize ?? usualBatch, "batchSize", 1);
  return {
    epochs: wholeNumber(options.epochs ?? 1, "epochs", 0),
    initialEpoch: wholeNumber(options.initialEpoch ?? 0, "initialEpoch", 0),
    batchSize,
    seed: options.seed === undefined ? undefined : wholeNumber(options.seed, "seed", 0),
    validationSplit: split,
    validationData: options.validationData,
    validationSteps: atLeastOne(options.validationSteps, "validationSteps"),
    validationBatchSize: atLeastOne(options.validationBatchSize, "validationBatchSize") ?? batchSize,
    validationFreq: readFreq(options.validationFreq ?? 1),
    stepsPerEpoch: atLeastOne(options.stepsPerEpoch, "stepsPerEpoch"),
    shuffle: options.shuffle ?? true,
    onProgress: options.onProgress,
    onEpochEnd: options.onEpochEnd,
    signal: options.signal,
    callbacks: options.callbacks ?? [],
    recompute: options.recompute ?? false,
    prefetch: options.prefetch ?? true,
    threads: atLeastOne(options.threads, "threads"),
    now: options.now ?? (() => performance.now()),
  };
}
