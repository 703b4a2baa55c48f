/** @file Sound as a sequence of spectra on the scale by which people hear pitch. */
import { powerSpectrum } from "./fourier.ts";

/** How sound is cut and measured. */
export interface MelOptions {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of a frame, a power of two. */
  readonly frame: number;
  /** Samples from one frame's start to the next. */
  readonly hop: number;
  /** Numbers of a frame. */
  readonly bands: number;
}

/** About 23 ms a frame and 12 ms a step at 22,050 samples a second. */
export const melDefaults: MelOptions = { rate: 22_050, frame: 512, hop: 256, bands: 24 };

/** Lowest and highest frequency that speech needs, in hertz. */
const [lowest, highest] = [80, 8000];
/** Added to energies before the logarithm: with samples in -1 to 1, about 60 dB under speech. */
const floor = 1e-4;

/**
 * Logarithms of the energies of overlapping triangular bands, evenly spaced in mel.
 * @param samples -1 to 1. Less than a frame gives no frames.
 * @returns [frames, bands].
 * Source: Davis and Mermelstein 1980; mel as 2595 log10(1 + f / 700), O'Shaughnessy 1987.
 */
export function logMel(samples: Float32Array, options: MelOptions = melDefaults): Float32Array[] {
  const { frame, hop, bands } = options;
  const filters = melFilters(options);
  const spectrumOf = powerSpectrum(frame);
  const window = Float64Array.from({ length: frame }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / frame)); // Hann
  const frames: Float32Array[] = [];
  for (let start = 0; start + frame <= samples.length; start += hop) {
    const spectrum = spectrumOf(window.map((weight, i) => weight * (samples[start + i] ?? 0)));
    const energies = new Float32Array(bands);
    for (const [band, { from, weights }] of filters.entries()) {
      let energy = 0;
      for (const [i, weight] of weights.entries()) energy += weight * (spectrum[from + i] ?? 0);
      energies[band] = Math.log(energy + floor);
    }
    frames.push(energies);
  }
  return frames;
}

/** A triangle over bins of the spectrum. */
interface Filter {
  readonly from: number;
  readonly weights: readonly number[];
}

function melFilters({ rate, frame, bands }: MelOptions): Filter[] {
  const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
  const hertz = (mels: number): number => 700 * (10 ** (mels / 2595) - 1);
  const [low, high] = [mel(lowest), mel(Math.min(highest, rate / 2))];
  const edge = (i: number): number => (hertz(low + ((high - low) * i) / (bands + 1)) * frame) / rate;
  return Array.from({ length: bands }, (_, band) => {
    const [start, peak, end] = [edge(band), edge(band + 1), edge(band + 2)];
    const from = Math.ceil(start);
    const weights = Array.from({ length: Math.max(0, Math.ceil(end) - from) }, (_, i) =>
      Math.min((from + i - start) / (peak - start), (end - from - i) / (end - peak)),
    );
    // low bands are narrower than a bin: they take the bin nearest to their peak
    return weights.some((weight) => weight > 0) ? { from, weights } : { from: Math.round(peak), weights: [1] };
  });
}
