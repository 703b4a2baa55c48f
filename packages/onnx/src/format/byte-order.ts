/** @file ONNX stores numbers with the low byte first; memory is copied as it lies where the machine does so too. */

/** True on machines whose memory has ONNX's order. */
export const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The same elements with the bytes of each in the opposite order. */
export function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) result[i] = bytes[i - (i % size) + size - 1 - (i % size)] ?? 0;
  return result;
}
