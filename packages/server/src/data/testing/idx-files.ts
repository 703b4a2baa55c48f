/** @file Small IDX files made in tests. */

/** A header of bytes with these sizes. */
export function idxHeader(...sizes: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(0x0800 | sizes.length, 0);
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return header;
}

/** Images of [records, height, width] or [records, height, width, channels] whose bytes count up. */
export function idxImages(...sizes: readonly number[]): Buffer {
  const bytes = sizes.reduce((product, size) => product * size, 1);
  return Buffer.concat([idxHeader(...sizes), Buffer.from(Array.from({ length: bytes }, (_, i) => i % 251))]);
}

/** Labels as given. */
export const idxLabels = (labels: readonly number[]): Buffer =>
  Buffer.concat([idxHeader(labels.length), Buffer.from(labels)]);
