/** @file TFRecord files: length (8 bytes), its checksum (4), the content, its checksum (4); all little-endian. */
import { FileFormatError } from "../format-error.ts";
import { maskedCrc32c } from "./crc32c.ts";

/** A record with its length and checksums. */
export function frameRecord(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(content, 12);
  view.setUint32(12 + content.length, maskedCrc32c(content), true);
  return bytes;
}

/**
 * Contents of the records, which share the memory of `bytes`. A last record that is not whole ends them quietly: whoever
 * writes it may not have finished.
 * @throws FileFormatError when a checksum does not fit.
 */
export function* readRecords(bytes: Uint8Array): Generator<Uint8Array, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (bytes.length - at >= 12) {
    const where = `TFRecord, byte ${at}`;
    if (view.getUint32(at + 8, true) !== maskedCrc32c(bytes.subarray(at, at + 8)))
      throw new FileFormatError(
        where,
        "the checksum of the length does not fit: the file is damaged, or no TFRecord file",
      );
    const length = view.getBigUint64(at, true);
    if (length > BigInt(bytes.length - at - 16)) return;
    const content = bytes.subarray(at + 12, at + 12 + Number(length));
    at += 16 + content.length;
    if (view.getUint32(at - 4, true) !== maskedCrc32c(content))
      throw new FileFormatError(where, "the checksum does not fit: the file is damaged");
    yield content;
  }
}
