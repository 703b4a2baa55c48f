/** @file What decoders of CTC are given: the output of a model, and how it is read. */
import { DataError } from "../errors.ts";

/** The output of a model trained with ctc, as `predict` gives it. */
export interface CtcScores {
  /** [batch, time, classes] */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: ArrayLike<number>;
}

/** How scores are read; as in the ctc loss. */
export interface CtcReading {
  /** Which class is the blank, "first". */
  readonly blank?: "first" | "last";
  /** Times of each sample that are no padding; all when left out. */
  readonly lengths?: readonly number[];
}

/** One sample's scores. */
export interface CtcSample {
  /** Its times that are no padding. */
  readonly steps: number;
  readonly classes: number;
  /** The blank's class. */
  readonly blank: number;
  at(step: number, label: number): number;
}

/** Takes scores apart. @throws DataError when shape, numbers and lengths do not fit together. */
export function samplesOf({ shape, data }: CtcScores, { blank = "first", lengths }: CtcReading): CtcSample[] {
  const [batch, steps, classes] = shape;
  if (shape.length !== 3 || batch === undefined || steps === undefined || classes === undefined || classes < 2)
    throw new DataError(
      `scores: expected [batch, time, classes] with 2 classes or more, received [${shape.join(", ")}]`,
    );
  if (data.length !== batch * steps * classes)
    throw new DataError(
      `scores: expected ${batch * steps * classes} numbers of [${shape.join(", ")}], received ${data.length}`,
    );
  if (lengths !== undefined && lengths.length !== batch)
    throw new DataError(`lengths: expected one for each of ${batch} samples, received ${lengths.length}`);
  return Array.from({ length: batch }, (_, i) => {
    const length = lengths?.[i] ?? steps;
    if (!Number.isInteger(length) || length < 0 || length > steps)
      throw new DataError(`lengths[${i}]: expected a whole number from 0 to ${steps}, received ${length}`);
    const start = i * steps * classes;
    return {
      steps: length,
      classes,
      blank: blank === "first" ? 0 : classes - 1,
      at: (step, label) => data[start + step * classes + label] ?? Number.NaN,
    };
  });
}
