/** @file Pieces of a long text, each with the text one character further on as its answers. */
import type { Tensor } from "@gristmill/onnx";
import { Random } from "../random.ts";

/** Pieces of one length. */
export interface Windows {
  /** int32 [count, length] */
  readonly x: Tensor<"int32">;
  /** int32 [count, length]: of each character the next one. */
  readonly y: Tensor<"int32">;
}

/** The pieces that begin at some places. */
export function windowsAt(text: Uint8Array, starts: readonly number[], length: number): Windows {
  const [x, y] = [new Int32Array(starts.length * length), new Int32Array(starts.length * length)];
  for (const [row, start] of starts.entries()) {
    x.set(text.subarray(start, start + length), row * length);
    y.set(text.subarray(start + 1, start + length + 1), row * length);
  }
  const shape = [starts.length, length];
  return { x: { dtype: "int32", shape, data: x }, y: { dtype: "int32", shape, data: y } };
}

/** How to draw pieces. */
export interface DrawOptions {
  readonly batchSize: number;
  /** Batches of an epoch, which here is no whole reading of the text. */
  readonly steps: number;
  readonly length: number;
  readonly seed: number;
}

/** A stream for `fit`: pieces from anywhere in the text, others in each epoch. */
export function randomWindows(text: Uint8Array, { batchSize, steps, length, seed }: DrawOptions) {
  return async function* batches(epoch: number): AsyncGenerator<Windows> {
    const random = new Random(seed, epoch);
    const places = text.length - length;
    for (let step = 0; step < steps; step++)
      yield windowsAt(
        text,
        Array.from({ length: batchSize }, () => random.below(places)),
        length,
      );
  };
}

/**
 * Pieces that overlap by half, with weights that count the second half alone: every character but the first ones is
 * answered once, and has at least half a piece before it.
 */
export function testWindows(text: Uint8Array, length: number): Windows & { sampleWeight: Tensor<"float32"> } {
  const half = Math.floor(length / 2);
  const starts: number[] = [];
  for (let start = 0; start + length < text.length; start += length - half) starts.push(start);
  const weights = Float32Array.from({ length: starts.length * length }, (_, i) => Number(i % length >= half));
  return {
    ...windowsAt(text, starts, length),
    sampleWeight: { dtype: "float32", shape: [starts.length, length], data: weights },
  };
}
