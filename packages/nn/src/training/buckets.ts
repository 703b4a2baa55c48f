/** @file Samples of different lengths in batches of about the same length, so that little is computed in vain. */
import { DataError, NnError } from "../errors.ts";
import { keyOf } from "../random/hash.ts";
import { shuffledOrder } from "../random/shuffle.ts";
import type { StreamBatch } from "./feed.ts";
import { type PadOptions, padded, readSequence, type Sequence, type Steps, stepShape } from "./sequences.ts";

/** Samples of different lengths with their answers. */
export interface SequenceData {
  readonly x: readonly Sequence[];
  /** A number or a list of one size for each sample, or a sequence for each. */
  readonly y: readonly (number | Sequence)[];
}

/** Settings of `bucketByLength`. */
export interface BucketOptions extends Omit<PadOptions, "length"> {
  /** Most steps of each bucket but the last, rising; or into how many buckets of about equally many samples, 4. */
  readonly boundaries?: number | readonly number[];
  /** Samples of a batch, 32; or give `stepsPerBatch`. */
  readonly batchSize?: number;
  /** Steps of a batch with those filled up: short samples come in larger batches. */
  readonly stepsPerBatch?: number;
  /**
   * What answers are: one for each "sample", one for each "step", or sequences of their "own" lengths (for CTC). When left
   * out: "sample" for numbers and lists of one size, "step" for lists as long as their samples, else "own".
   */
  readonly answers?: "sample" | "step" | "own";
  /** What answers are filled up with, 0. */
  readonly labelPadValue?: number;
  /** Another order in each epoch, true. */
  readonly shuffle?: boolean;
  /** For the order, 0. */
  readonly seed?: number;
}

/** Batches for `fit`, `evaluate` and `predict`; the order is a function of (seed, epoch) alone. */
export interface Buckets {
  (epoch: number): AsyncGenerator<StreamBatch, void>;
  /** Steps of the samples of each bucket, filled up to its longest. */
  readonly lengths: readonly number[];
  /** Batches of an epoch. */
  readonly batches: number;
  /** Share of all steps that are filled up, 0 to 1. */
  readonly paddingShare: number;
}

const purpose = 0xb5; // keeps the order apart from other uses of the same seed

/**
 * Samples of different lengths as batches of few different lengths. Give them to a model whose input has null for its steps
 * and that masks (`masking`, or `maskZero` of an embedding), so that what is filled up does not count.
 *
 * - Shapes: x float32 [batch, steps of the bucket, ...]; y [batch, ...], or [batch, steps, ...] filled up likewise.
 * - Each bucket's last batch may be smaller: two programs for each bucket. A model keeps twelve sessions open.
 * @throws DataError, NnError when counts, sizes or settings do not fit
 */
export function bucketByLength(data: SequenceData, options: BucketOptions = {}): Buckets {
  const { boundaries = 4, shuffle = true, seed = 0 } = options;
  if (data.x.length === 0) throw new DataError("x: expected at least one sample, received none");
  if (data.x.length !== data.y.length)
    throw new DataError(`y: expected ${data.x.length} answers, one per sample, received ${data.y.length}`);
  const x = data.x.map((sequence, i) => readSequence(sequence, `x[${i}]`));
  const step = stepShape(x, "x");
  const answersOf = answerWriter(data.y, x, options);
  const buckets = fill(
    x.map(({ length }) => length),
    typeof boundaries === "number" ? quantiles(x, boundaries) : rising(boundaries),
  ).map(({ length, members }) => ({ length, members, size: batchSizeOf(length, options) }));
  const batches = buckets.flatMap(({ members, size }, bucket) =>
    Array.from({ length: Math.ceil(members.length / size) }, (_, i) => ({ bucket, start: i * size })),
  );
  async function* stream(epoch: number): AsyncGenerator<StreamBatch, void> {
    const inEpoch = (count: number, ...place: number[]): Uint32Array =>
      shuffle
        ? shuffledOrder(count, keyOf(seed, purpose, ...place), epoch)
        : Uint32Array.from({ length: count }, (_, i) => i);
    const orders = buckets.map(({ members }, bucket) => inEpoch(members.length, bucket));
    for (const place of inEpoch(batches.length)) {
      const { bucket, start } = batches[place] ?? { bucket: 0, start: 0 };
      const { members, size, length } = buckets[bucket] ?? { members: [], size: 0, length: 0 };
      const chosen = Array.from(orders[bucket]?.subarray(start, start + size) ?? [], (i) => members[i] ?? 0);
      yield { x: padded(pick(x, chosen), step, length, options), y: answersOf(chosen, length) };
    }
  }
  const all = buckets.reduce((sum, { length, members }) => sum + length * members.length, 0);
  const own = x.reduce((sum, { length }) => sum + length, 0);
  return Object.assign(stream, {
    lengths: buckets.map(({ length }) => length),
    batches: batches.length,
    paddingShare: all === 0 ? 0 : (all - own) / all,
  });
}

const pick = <T>(list: readonly T[], places: readonly number[]): T[] =>
  places.flatMap((place) => list.slice(place, place + 1));

/** Samples by the first bucket that they fit in; buckets without samples are left out. */
function fill(lengths: readonly number[], boundaries: readonly number[]) {
  const members = Array.from({ length: boundaries.length + 1 }, (): number[] => []);
  for (const [i, length] of lengths.entries()) {
    const place = boundaries.findIndex((most) => length <= most);
    members[place < 0 ? boundaries.length : place]?.push(i);
  }
  return members
    .filter(({ length }) => length > 0)
    .map((of) => ({ members: of, length: of.reduce((most, i) => Math.max(most, lengths[i] ?? 0), 0) }));
}

function quantiles(x: readonly Steps[], count: number): readonly number[] {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new NnError(`boundaries: expected a list of steps or a number of buckets from 1, received ${count}`);
  const lengths = x.map(({ length }) => length).sort((a, b) => a - b);
  const places = Array.from({ length: count - 1 }, (_, i) => Math.ceil(((i + 1) * lengths.length) / count) - 1);
  return [...new Set(places.map((place) => lengths[Math.max(0, place)] ?? 0))];
}

function rising(boundaries: readonly number[]): readonly number[] {
  const wrong = boundaries.findIndex((most, i) => !(most > (boundaries[i - 1] ?? 0)));
  if (wrong >= 0)
    throw new NnError(`boundaries[${wrong}]: expected rising numbers above 0, received ${boundaries.join(", ")}`);
  return boundaries;
}

function batchSizeOf(length: number, { batchSize, stepsPerBatch }: BucketOptions): number {
  if (batchSize !== undefined && stepsPerBatch !== undefined)
    throw new NnError("bucketByLength: expected batchSize or stepsPerBatch, received both");
  const [name, asked] = stepsPerBatch === undefined ? ["batchSize", batchSize ?? 32] : ["stepsPerBatch", stepsPerBatch];
  if (!Number.isSafeInteger(asked) || asked < 1)
    throw new NnError(`${name}: expected a whole number from 1, received ${asked}`);
  return stepsPerBatch === undefined ? asked : Math.max(1, Math.floor(asked / Math.max(1, length)));
}

/** What the answers of some samples are, filled up to `length` steps where they go by steps. */
function answerWriter(y: SequenceData["y"], x: readonly Steps[], options: BucketOptions) {
  const { padding, labelPadValue = 0 } = options;
  const read = y.map((answer, i) => readSequence(typeof answer === "number" ? [answer] : answer, `y[${i}]`));
  const isByStep = read.every(({ length }, i) => length === x[i]?.length);
  const isOneSize = new Set(read.map(({ length }) => length)).size === 1;
  const areNumbers = y.every((answer) => typeof answer === "number");
  const manner = options.answers ?? (areNumbers ? "sample" : isByStep ? "step" : isOneSize ? "sample" : "own");
  if (manner === "step" && !isByStep)
    throw new DataError("y: expected an answer for each step of its sample; one has more or fewer");
  if (manner === "sample" && !isOneSize) throw new DataError("y: expected answers of one size, one per sample");
  const shape = stepShape(read, "y");
  const longest = read.reduce((most, { length }) => Math.max(most, length), 0);
  const side = { padValue: labelPadValue, ...(padding === undefined || manner !== "step" ? {} : { padding }) };
  return (chosen: readonly number[], length: number): { shape: readonly number[]; data: Float32Array } => {
    const answers = padded(pick(read, chosen), shape, manner === "step" ? length : longest, side);
    return areNumbers ? { shape: [chosen.length], data: answers.data } : answers;
  };
}
