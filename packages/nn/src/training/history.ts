/** @file What a training reports while it runs and when it is done. */

/** Means over samples. */
export interface Scores {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
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
}

/** A finished training. */
export interface History {
  readonly epochs: readonly EpochResult[];
  /** One list per number, an entry per epoch, as Keras has it: `loss`, `accuracy`, `valLoss`, `valAccuracy`. */
  readonly history: Readonly<Record<string, readonly number[]>>;
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
  for (const { loss, metrics, validation } of epochs) {
    note("loss", loss);
    for (const [name, value] of Object.entries(metrics)) note(name, value);
    if (validation === undefined) continue;
    note("valLoss", validation.loss);
    for (const [name, value] of Object.entries(validation.metrics)) note(`val${capital(name)}`, value);
  }
  return { epochs, history };
}

/** Sums scores of batches to means over samples. */
export class ScoreSum {
  #loss = 0;
  #samples = 0;
  readonly #metrics: Map<string, number>;

  constructor(metrics: Iterable<string>) {
    this.#metrics = new Map([...metrics].map((name) => [name, 0]));
  }

  get samples(): number {
    return this.#samples;
  }

  /** Adds means over batches of one size. */
  add(batch: number, losses: ArrayLike<number>, metrics: (name: string) => ArrayLike<number>): void {
    const sum = (list: ArrayLike<number>): number =>
      Array.from(list).reduce((total, value) => total + value, 0) * batch;
    this.#loss += sum(losses);
    this.#samples += batch * losses.length;
    for (const [name, total] of this.#metrics) this.#metrics.set(name, total + sum(metrics(name)));
  }

  scores(): Scores {
    const mean = (sum: number): number => (this.#samples === 0 ? 0 : sum / this.#samples);
    return {
      loss: mean(this.#loss),
      metrics: Object.fromEntries([...this.#metrics].map(([name, sum]) => [name, mean(sum)])),
    };
  }
}
