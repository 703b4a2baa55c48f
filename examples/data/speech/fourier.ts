/** @file The discrete Fourier transform of short frames of sound. */

/**
 * Prepares the transform of n samples, a power of two. The function gives the squared magnitudes of the spectrum of a real
 * signal: n / 2 + 1 numbers, from frequency 0 to half of the sampling rate.
 * Source: Cooley and Tukey 1965; decimation in time, in place.
 */
export function powerSpectrum(n: number): (signal: ArrayLike<number>) => Float64Array {
  if (!Number.isSafeInteger(n) || n < 2 || Math.log2(n) % 1 !== 0)
    throw new Error(`frame: expected a power of two of samples, received ${n}`);
  const bits = Math.log2(n);
  const places = Uint32Array.from({ length: n }, (_, i) => reversed(i, bits));
  const cosines = Float64Array.from({ length: n / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / n));
  const sines = Float64Array.from({ length: n / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / n));
  return (signal) => {
    if (signal.length !== n) throw new Error(`signal: expected ${n} samples, received ${signal.length}`);
    // loops, not Float64Array.from: these lines run once for every 12 ms of sound
    const real = new Float64Array(n);
    for (let i = 0; i < n; i++) real[i] = signal[places[i] ?? 0] ?? 0;
    const imaginary = new Float64Array(n);
    for (let size = 2; size <= n; size *= 2) join(real, imaginary, size, cosines, sines);
    const power = new Float64Array(n / 2 + 1);
    for (let i = 0; i < power.length; i++) power[i] = (real[i] ?? 0) ** 2 + (imaginary[i] ?? 0) ** 2;
    return power;
  };
}

/** Joins neighbouring transforms of size / 2 into transforms of `size`. */
function join(real: Float64Array, imaginary: Float64Array, size: number, cosines: Float64Array, sines: Float64Array) {
  const half = size / 2;
  const stride = real.length / size;
  for (let start = 0; start < real.length; start += size)
    for (let k = 0; k < half; k++) {
      const low = start + k;
      const high = low + half;
      const cos = cosines[k * stride] ?? 0;
      const sin = sines[k * stride] ?? 0;
      const re = real[high] ?? 0;
      const im = imaginary[high] ?? 0;
      const turnedRe = re * cos - im * sin;
      const turnedIm = re * sin + im * cos;
      real[high] = (real[low] ?? 0) - turnedRe;
      imaginary[high] = (imaginary[low] ?? 0) - turnedIm;
      real[low] = (real[low] ?? 0) + turnedRe;
      imaginary[low] = (imaginary[low] ?? 0) + turnedIm;
    }
}

/** A number with its lowest bits in the opposite order. */
function reversed(value: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit++) result |= ((value >> bit) & 1) << (bits - 1 - bit);
  return result;
}
