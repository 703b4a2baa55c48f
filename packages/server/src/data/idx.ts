/**
 * @file The IDX format, in which MNIST and its relatives come. Big-endian: two zero bytes, a type byte, the number of
 * dimensions, then each dimension as 32 bits, then the values. Only bytes (type 8): images [n, h, w] or [n, h, w, c], labels [n].
 * Source: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
 */
import { AppError } from "@gristmill/contract";

/** What a file holds. */
export type IdxKind = "images" | "labels";

/** One record: a gray image has 1 channel, gray with alpha 2, RGB 3, RGBA 4. */
export type RecordShape = readonly [height: number, width: number, channels: number];

/** What the header says. */
export interface IdxHeader {
  readonly records: number;
  /** Of labels: [1, 1, 1]. */
  readonly recordShape: RecordShape;
  readonly recordBytes: number;
  /** Bytes before the first record. */
  readonly offset: number;
  readonly totalBytes: number;
}

/** Bounds of one file. */
export interface IdxLimits {
  /** Bytes of one file, unpacked. */
  readonly fileBytes: number;
  /** Bytes of one record. */
  readonly recordBytes: number;
}

const ubyte = 8;
const magicBytes = 4;
const dimensionsOf: Readonly<Record<IdxKind, readonly number[]>> = { images: [3, 4], labels: [1] };
const wantedMagic: Readonly<Record<IdxKind, string>> = {
  images: "0x00000803 or 0x00000804 (images)",
  labels: "0x00000801 (labels)",
};

/** A failure of one file; `title` names it: "train.images". */
export const malformed = (title: string, problem: string, details: Record<string, unknown> = {}): AppError =>
  new AppError("data.malformed", `${title}: ${problem}.`, { details: { file: title, ...details } });

/**
 * Reads the header as soon as enough bytes are there.
 * @returns undefined while `bytes` is too short for a header.
 * @throws AppError `data.malformed` naming the file, expected and received; `request.too_large` above a limit.
 */
export function parseIdxHeader(
  kind: IdxKind,
  title: string,
  bytes: Uint8Array,
  limits: IdxLimits,
): IdxHeader | undefined {
  if (bytes.length < magicBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const rank = magic & 0xff;
  if (magic >>> 8 !== ubyte || !dimensionsOf[kind].includes(rank))
    throw malformed(title, `expected the magic number ${wantedMagic[kind]}, received ${hex(magic)}`, {
      received_magic: hex(magic),
    });
  const offset = magicBytes + 4 * rank;
  if (bytes.length < offset) return undefined;
  const sizes = Array.from({ length: rank }, (_, i) => view.getUint32(magicBytes + 4 * i));
  const [records = 0, height = 1, width = 1, channels = 1] = sizes;
  if (sizes.includes(0) || channels > 4)
    throw malformed(title, `expected sizes above 0 and at most 4 channels, received ${sizes.join(" x ")}`, { sizes });
  const recordBytes = height * width * channels;
  const totalBytes = offset + records * recordBytes;
  if (totalBytes > limits.fileBytes || recordBytes > limits.recordBytes)
    throw new AppError(
      "request.too_large",
      `${title}: its header announces ${sizes.join(" x ")} bytes; the limits are ${limits.fileBytes} bytes a file and ${limits.recordBytes} a record.`,
      { details: { file: title, sizes, limit_bytes: limits.fileBytes, record_limit_bytes: limits.recordBytes } },
    );
  return { records, recordShape: [height, width, channels], recordBytes, offset, totalBytes };
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
