/** @file What a training reports while it runs and when it is done. */
import type { Metric } from "../metrics/metric.ts";

/** What a model scored on some samples. */
export interface Scores {
  /** Mean over samples of what is trained for. */
  readonly loss: number;
  /** Of each output, where there are several. */
  readonly losses?: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, number>>;
  /** Rows and columns of metrics that are tables, such as a confusion matrix. */
  readonly tables?: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** How far a training is, after each run of the program (about five times a second, or after each step when those are longer). */
export interface Progress extends Scores {
  /** From 1, and how many there will be. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch, and how many it has (undefined when only the stream's end tells). */
  readonly step: number;
  readonly steps: number | undefined;
  /** In this epoch so far. */
  readonly samplesPerSecond: number;
  /** To the end of the training, without validation; undefined when the number of steps is. */
  readonly secondsLeft: number | undefined;
}

/** A finished epoch. */
export interface EpochResult extends Scores {
  /** From 1. */
  readonly epoch: number;
  readonly validation: Scores | undefined;
  readonly steps: number;
  readonly samples: number;
  /** Training alone, without validation. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** Of the epoch's last step. */
  readonly learningRate: number | undefined;
}

/** A finished training. */
export interface History {
  readonly epochs: readonly EpochResult[];
  /** One list per number, an entry per epoch, as Keras has it: `loss`, `accuracy`, `valLoss`, `valAccuracy`. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** Why a callback ended it before its last epoch. */
  readonly stopped?: string;
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** The lists of a history. */
export function historyOf(epochs: readonly EpochResult[]): History {
  const history: Record<string, number[]> = {};
  const note = (name: string, value: number): void => {
    const list = history[name] ?? [];
    list.push(value);
    history[name] = list;
  };
  for (const { loss, metrics, validation, learningRate } of epochs) {
    note("loss", loss);
    for (const [name, value] of Object.entries(metrics)) note(name, value);
    if (learningRate !== undefined) note("learningRate", learningRate);
    if (validation === undefined) continue;
    note("valLoss", validation.loss);
    for (const [name, value] of Object.entries(validation.metrics)) note(`val${capital(name)}`, value);
  }
  return { epochs, history };
}

/** What programs report of their batches, by name: a row of numbers for each batch. */
export type Reports = (name: string) => Float32Array | undefined;

/** Sums what batches report to the scores of all of them. */
export class ScoreSum {
  readonly #losses = new Map<string, number>();
  readonly #sums = new Map<string, Float64Array>();
  readonly #metrics: ReadonlyMap<string, Metric>;
  readonly #outputs: readonly string[];
  #samples = 0;

  /** `outputs`: names of the outputs whose losses are reported one by one. */
  constructor(metrics: ReadonlyMap<string, Metric>, outputs: readonly string[]) {
    this.#metrics = metrics;
    this.#outputs = outputs.length > 1 ? outputs : [];
  }

  get samples(): number {
    return this.#samples;
  }

  /** Adds the reports of `steps` batches of one size; `names` are all that the program reports. */
  add(batch: number, steps: number, names: readonly string[], reports: Reports): void {
    this.#samples += batch * steps;
    for (const name of names) {
      const rows = reports(name);
      if (rows === undefined) throw new Error(`${name}: the program reports no such thing`);
      if (name.startsWith("metric/")) this.#addRows(name, rows, steps);
      else this.#losses.set(name, (this.#losses.get(name) ?? 0) + rows.reduce((sum, value) => sum + value, 0) * batch);
    }
  }

  #addRows(name: string, rows: Float32Array, steps: number): void {
    const size = rows.length / steps;
    const sums = this.#sums.get(name) ?? new Float64Array(size);
    for (let i = 0; i < rows.length; i++) sums[i % size] = (sums[i % size] ?? 0) + (rows[i] ?? 0);
    this.#sums.set(name, sums);
  }

  scores(): Scores {
    const mean = (name: string): number => (this.#samples === 0 ? 0 : (this.#losses.get(name) ?? 0) / this.#samples);
    const entries = [...this.#metrics].map(([name, metric]) => ({ name, metric, sums: this.#sumsOf(name) }));
    const tables = entries.flatMap(({ name, metric, sums }) => (metric.table ? [[name, metric.table(sums)]] : []));
    return {
      loss: mean("loss"),
      ...(this.#outputs.length === 0
        ? {}
        : { losses: Object.fromEntries(this.#outputs.map((name) => [name, mean(`loss/${name}`)])) }),
      metrics: Object.fromEntries(entries.map(({ name, metric, sums }) => [name, metric.value(sums)])),
      ...(tables.length === 0 ? {} : { tables: Object.fromEntries(tables) }),
    };
  }

  #sumsOf(metric: string): Readonly<Record<string, Float64Array>> {
    const prefix = `metric/${metric}/`;
    return Object.fromEntries(
      [...this.#sums].flatMap(([name, sums]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), sums]] : [])),
    );
  }
}
