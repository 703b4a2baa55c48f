/** @file Pure: vectors as OpenAI's clients read them. */

/**
 * The first numbers of a vector, of length 1 again (Euclid), as models that were trained for it are shortened (Matryoshka
 * representation learning, arXiv 2205.13147). A vector of zeros stays.
 */
export function shortened(vector: Float32Array, dimensions: number | undefined): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const kept = vector.subarray(0, dimensions);
  const length = Math.hypot(...kept);
  return length === 0 ? kept : kept.map((value) => value / length);
}

/** 32-bit floats, little-endian, whatever the machine's order is. */
export function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}
