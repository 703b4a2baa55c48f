/** @file Weights as whole numbers: symmetric, with one scale for each channel. */
import { ShapeError } from "../errors.ts";
import { formatShape } from "../shape.ts";

/** How many bits a weight's numbers take. */
export type WeightBits = 8 | 7;

/** Whole numbers with the scale of each channel: `w ≈ numbers * scale of its channel`. */
export interface QuantizedWeight {
  readonly numbers: Int8Array;
  /** One for each position of the channel axis. 1 for a channel of zeros. */
  readonly scales: Float32Array;
}

/**
 * Rounds weights to whole numbers from -127 to 127 (-63 to 63 with 7 bits), each channel by its own largest value:
 * `scale = max |w| / 127`, `numbers = round(w / scale)`. No weight moves by more than half a scale. 0 stays 0.
 * @param axis the axis of channels, counted from the start
 * @returns undefined where a weight is not finite
 * @throws ShapeError when the shape has no such axis
 */
export function quantizeWeight(
  weights: Float32Array,
  shape: readonly number[],
  axis: number,
  bits: WeightBits = 8,
): QuantizedWeight | undefined {
  const channels = shape[axis];
  if (channels === undefined)
    throw new ShapeError(
      "quantizeWeight",
      `expected an axis from 0 to ${shape.length - 1} of ${formatShape(shape)}, received ${axis}`,
    );
  const most = 2 ** (bits - 1) - 1;
  // neighbours along the last axes belong to one channel
  const run = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const largest = new Float32Array(channels);
  for (let i = 0; i < weights.length; i++) {
    const size = Math.abs(weights[i] ?? 0);
    if (!Number.isFinite(size)) return undefined;
    const channel = Math.floor(i / run) % channels;
    if (size > (largest[channel] ?? 0)) largest[channel] = size;
  }
  // a scale below the smallest normal number would be 0 where denormals are flushed
  const scales = largest.map((size) => (size / most < 2 ** -126 ? 1 : size / most));
  const numbers = Int8Array.from(weights, (weight, i) => {
    const rounded = Math.round(weight / (scales[Math.floor(i / run) % channels] ?? 1));
    return Math.max(-most, Math.min(most, rounded));
  });
  return { numbers, scales };
}

/** A matrix [rows, columns] turned: [columns, rows]. */
export function turned(numbers: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(numbers.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = numbers[row * columns + column] ?? 0;
  return result;
}
