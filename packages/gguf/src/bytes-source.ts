import type { GgufSource } from "./read-header.ts";

/** Bytes in memory as a file. */
export const bytesSource = (bytes: Uint8Array): GgufSource => ({
  sizeBytes: bytes.length,
  read: async (position, length) => Uint8Array.from(bytes.subarray(position, position + length)),
});
