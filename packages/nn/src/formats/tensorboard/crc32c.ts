/** @file CRC-32C (Castagnoli), by table; masked as TFRecord files keep it. Source: RFC 3720, appendix B.4; TensorFlow's lib/hash/crc32c.h. */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  // 0x82f63b78 is the polynomial 0x1edc6f41 with its bits turned around
  for (let i = 0; i < 8; i++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** The checksum of bytes, 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (table[(sum ^ byte) & 255] ?? 0) ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** Turned and shifted, so that a checksum of bytes that hold a checksum is none that looks right by chance. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
