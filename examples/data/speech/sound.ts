/** @file Recordings: reading WAV files, and cutting them at pauses. */

/** Sound of one channel. */
export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** -1 to 1. */
  readonly samples: Float32Array;
}

/** Reads a WAV file of one channel of 16 bits. @throws Error naming `what` and the field that differs. */
export function parseWav(bytes: Buffer, what: string): Sound {
  if (bytes.length < 12 || bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WAVE")
    throw new Error(`${what}: expected a WAV file, received something else`);
  let rate: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [id, size] = [bytes.toString("latin1", at, at + 4), bytes.readUInt32LE(at + 4)];
    const start = at + 8;
    if (id === "fmt ") rate = readFormat(bytes.subarray(start, start + size), what);
    if (id === "data") {
      if (rate === undefined) throw new Error(`${what}: expected the format before the samples`);
      // a writer that cannot go back leaves a size too large: then the samples go to the file's end
      const count = Math.floor(Math.min(size, bytes.length - start) / 2);
      return {
        rate,
        samples: Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(start + 2 * i) / 32768),
      };
    }
    at = start + size + (size % 2); // chunks start at even places
  }
  throw new Error(`${what}: expected a chunk of samples, received none`);
}

function readFormat(chunk: Buffer, what: string): number {
  if (chunk.length < 16) throw new Error(`${what}: expected a format of 16 bytes, received ${chunk.length}`);
  const [kind, channels, bits] = [chunk.readUInt16LE(0), chunk.readUInt16LE(2), chunk.readUInt16LE(14)];
  if (kind !== 1 || channels !== 1 || bits !== 16)
    throw new Error(
      `${what}: expected plain samples of 16 bits in one channel, received kind ${kind} of ${bits} bits in ${channels} channels`,
    );
  return chunk.readUInt32LE(4);
}

/**
 * The parts between pauses, without the silence around them.
 * @param pauseMs a silence at least so long parts; the closures inside words are under 150 ms.
 * @param quiet silence stays below this share of the loudest sample: an echo fades, and never ends.
 */
export function partsOf({ rate, samples }: Sound, pauseMs = 250, quiet = 0.01): Float32Array[] {
  const threshold = quiet * samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const pause = (pauseMs / 1000) * rate;
  const parts: Float32Array[] = [];
  let [start, end] = [-1, -1]; // of the part that is being read
  const close = (): void => {
    if (start >= 0) parts.push(samples.subarray(start, end));
  };
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i] ?? 0) <= threshold) continue;
    if (start < 0 || i - end > pause) {
      close();
      start = i;
    }
    end = i + 1;
  }
  close();
  return parts;
}
