/** How numbers are spread: counts in buckets of equal width. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** Of all counted numbers. */
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Right end of each bucket, rising; the first begins at `min`. */
  readonly limits: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Counts numbers in 30 buckets between the smallest and the largest (as TensorFlow 2 does); in one, when these are equal.
 * NaN and infinity are left out: a training that goes wrong can still be looked at.
 */
export function histogramOf(numbers: ArrayLike<number>, buckets = 30): Histogram {
  let [min, max, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? 0;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0)
    return { min: 0, max: 0, count, sum, sumOfSquares, limits: new Float64Array(), counts: new Float64Array() };
  const size = max > min ? buckets : 1;
  // each share alone: max - min may be infinite where both are huge
  const limits = Float64Array.from({ length: size }, (_, i) =>
    i === size - 1 ? max : min * (1 - (i + 1) / size) + max * ((i + 1) / size),
  );
  const counts = new Float64Array(size);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] ?? 0;
    if (!Number.isFinite(value)) continue;
    const place = max > min ? Math.floor(((value / 2 - min / 2) / (max / 2 - min / 2)) * size) : 0;
    const bucket = Math.min(size - 1, place);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return { min, max, count, sum, sumOfSquares, limits, counts };
}
