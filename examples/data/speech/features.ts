/** @file Utterances as the frames that a network reads: with noise, in one scale, filled up to one length. */
import { Random } from "../../random.ts";
import { logMel, melDefaults } from "./log-mel.ts";
import type { Utterance } from "./spoken-digits.ts";

/** Frames of an utterance; longer ones are cut, and hardly any is longer. */
export const frameCount = 64;
/** Speech is so much louder than the noise, in decibels: evenly drawn between these. */
const [noisiest, cleanest] = [5, 25];

/** Frames of some utterances. */
export interface Frames {
  /** float32 [count, frames, bands]; 0 behind the end, which no measured frame is. */
  readonly x: { readonly shape: readonly number[]; readonly data: Float32Array };
  /** [count], the digits. */
  readonly y: { readonly shape: readonly number[]; readonly data: Uint8Array };
}

/** Log-mel frames with white noise of random strength: no microphone is as quiet as a synthesizer. */
export function noisyFrames(utterances: readonly Utterance[], seed: number): Float32Array[][] {
  return utterances.map(({ samples, rate }, i) => {
    const random = new Random(seed, i);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
    const loudness = Math.sqrt(power / 10 ** (random.between(noisiest, cleanest) / 10));
    return logMel(
      samples.map((sample) => sample + loudness * random.normal()),
      { ...melDefaults, rate },
    );
  });
}

/** The mean and the spread of each band, by which frames are brought to one scale. Those of the training speakers serve for all. */
export interface Scale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Measures frames. */
export function scaleOf(frames: readonly Float32Array[]): Scale {
  const bands = Array.from({ length: melDefaults.bands }, (_, band) => frames.map((frame) => frame[band] ?? 0));
  const mean = bands.map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  const deviation = bands.map((values, band) =>
    Math.sqrt(values.reduce((sum, value) => sum + (value - (mean[band] ?? 0)) ** 2, 0) / values.length),
  );
  return { mean, deviation };
}

/** Frames of utterances in one array. */
export function packFrames(
  frames: readonly (readonly Float32Array[])[],
  utterances: readonly Utterance[],
  { mean, deviation }: Scale,
): Frames {
  const { bands } = melDefaults;
  const data = new Float32Array(frames.length * frameCount * bands);
  for (const [row, list] of frames.entries())
    for (const [step, frame] of list.slice(0, frameCount).entries()) {
      const start = (row * frameCount + step) * bands;
      for (let band = 0; band < bands; band++)
        data[start + band] = ((frame[band] ?? 0) - (mean[band] ?? 0)) / (deviation[band] || 1);
    }
  return {
    x: { shape: [frames.length, frameCount, bands], data },
    y: { shape: [frames.length], data: Uint8Array.from(utterances, ({ digit }) => digit) },
  };
}
