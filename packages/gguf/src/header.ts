/**
 * @file The front of a GGUF file: "GGUF", version, counts, metadata, and where each tensor lies.
 * Source: ggml's docs/gguf.md (version 3); where it is silent, what ggml's own reader (gguf.cpp) refuses is refused here.
 */
import { Cursor } from "./cursor.ts";
import { GgufError, shown } from "./errors.ts";
import { blockBytes, blockElements, type GgufTensorType, typeOfCode } from "./tensor-type.ts";
import { type GgufArray, type GgufValue, type GgufValueType, valueTypeOf } from "./value.ts";

/** What a file may ask for. */
export interface GgufLimits {
  /** Bytes before the tensors; 256 MiB when not said (a vocabulary of 256,000 tokens with merges has about 15). */
  readonly headerBytes?: number;
  /** Texts and lists in the metadata; 2,000,000 when not said. */
  readonly texts?: number;
}

/** A tensor of a file, without its numbers. */
export interface GgufTensorInfo {
  readonly name: string;
  readonly type: GgufTensorType;
  /** Row-major: the last axis lies together. (The file has them the other way round.) */
  readonly shape: readonly number[];
  /** From the start of the tensors' bytes. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What the front of a file says. */
export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the file's order. */
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  /** Where the tensors' bytes begin. */
  readonly dataStart: number;
}

/** Alignment of files that say none. */
export const defaultAlignment = 32;
/** ggml has room for so many axes. */
export const mostAxes = 4;
const mostKeyBytes = 65_535;
const mostNameBytes = 64;

/** The next multiple of the alignment. */
export const aligned = (position: number, alignment: number): number => Math.ceil(position / alignment) * alignment;

/**
 * Reads the front of a file from its first bytes.
 * @throws NeedsMore when these are too few of a file that has more.
 * @throws GgufError for what no reader could use: sizes that don't fit, keys or tensors said twice, holes, overlaps.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number, limits: GgufLimits = {}): GgufHeader {
  const cursor = new Cursor(bytes, fileBytes, limits.texts ?? 2_000_000);
  const version = readVersion(cursor);
  const tensorCount = cursor.count("GGUF, number of tensors");
  const valueCount = cursor.count("GGUF, number of metadata values");
  cursor.expectRoom("GGUF, metadata", valueCount, 8 + 1 + 4 + 1); // length and letter of a key, kind, value
  cursor.expectRoom("GGUF, tensors", tensorCount, 8 + 4 + 4 + 8); // length of a name, axes, type, offset
  const metadata = readMetadata(cursor, valueCount);
  const alignment = readAlignment(metadata);
  const tensors = readTensors(cursor, tensorCount, alignment);
  const dataStart = aligned(cursor.position, alignment);
  for (const { name, offset, sizeBytes } of tensors.values())
    if (dataStart + offset + sizeBytes > fileBytes)
      throw new GgufError(
        "gguf.cut_off",
        whereTensor(name),
        `expected it to end at byte ${dataStart + offset + sizeBytes}, but the file has ${fileBytes}; it is cut off`,
      );
  return { version, alignment, metadata, tensors, dataStart };
}

/** A tensor in messages. */
export const whereTensor = (name: string): string => `GGUF, tensor ${shown(name)}`;

function readVersion(cursor: Cursor): number {
  const magic = cursor.numbers("GGUF, start", "uint8", 4);
  if (String.fromCharCode(...magic) !== "GGUF")
    throw new GgufError("gguf.not_gguf", "GGUF", 'expected the file to begin with "GGUF"; is this another format?');
  const version = cursor.uint32("GGUF, version");
  if (version === 2 || version === 3) return version;
  if ((version & 0xffff) === 0)
    throw new GgufError(
      "gguf.unsupported",
      "GGUF, version",
      "the file keeps the high byte first (big-endian), which is not supported",
    );
  throw new GgufError(
    "gguf.unsupported",
    "GGUF, version",
    `expected 2 or 3, received ${version}; convert the file with a newer converter`,
  );
}

function readMetadata(cursor: Cursor, count: number): ReadonlyMap<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.text(`GGUF, key ${i}`);
    const where = `GGUF, key ${shown(key)}`;
    if (key === "" || key.length > mostKeyBytes)
      throw new GgufError("gguf.malformed", where, `expected a key of 1 to ${mostKeyBytes} bytes`);
    if (metadata.has(key)) throw new GgufError("gguf.malformed", where, "it appears twice; expected it once");
    metadata.set(key, readValue(cursor, where));
  }
  return metadata;
}

function readType(cursor: Cursor, where: string): GgufValueType {
  const code = cursor.uint32(where);
  const type = valueTypeOf(code);
  if (type === undefined)
    throw new GgufError("gguf.malformed", where, `expected a kind of value from 0 to 12, received ${code}`);
  return type;
}

function readValue(cursor: Cursor, where: string): GgufValue {
  const type = readType(cursor, where);
  if (type === "string") return { type, value: cursor.text(where) };
  if (type === "array") return { type, value: readArray(cursor, where) };
  const value = cursor.numbers(where, type, 1)[0] ?? 0;
  if (type === "bool") return { type, value: value === 1 };
  return { type, value } as GgufValue;
}

function readArray(cursor: Cursor, where: string): GgufArray {
  cursor.spend(where);
  const type = readType(cursor, where);
  if (type === "array")
    throw new GgufError("gguf.unsupported", where, "the list has lists inside, which llama.cpp does not read either");
  const count = cursor.count(where);
  if (type !== "string") return { of: type, values: cursor.numbers(where, type, count) } as GgufArray;
  cursor.expectRoom(where, count, 8);
  cursor.expectTexts(where, count);
  const values: string[] = [];
  for (let i = 0; i < count; i++) values.push(cursor.text(where));
  return { of: type, values };
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return defaultAlignment;
  const { type, value } = entry;
  const isPower = type === "uint32" && value > 0 && value <= 2 ** 20 && Number.isInteger(Math.log2(value));
  if (!isPower)
    throw new GgufError(
      "gguf.malformed",
      "GGUF, general.alignment",
      `expected a uint32 that is a power of two up to 2^20, received ${type} ${shown(value)}`,
    );
  return value;
}

function readTensors(cursor: Cursor, count: number, alignment: number): ReadonlyMap<string, GgufTensorInfo> {
  const tensors = new Map<string, GgufTensorInfo>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const name = cursor.text(`GGUF, tensor ${i}`);
    const where = whereTensor(name);
    if (new TextEncoder().encode(name).length > mostNameBytes)
      throw new GgufError("gguf.malformed", where, `expected a name of at most ${mostNameBytes} bytes`);
    if (tensors.has(name)) throw new GgufError("gguf.malformed", where, "it appears twice; expected it once");
    const info = readInfo(cursor, where, name);
    // ggml's reader takes no other order either; so nothing overlaps and no byte is hidden
    if (info.offset !== at)
      throw new GgufError(
        "gguf.malformed",
        where,
        `expected its bytes to begin at ${at}, behind the tensor before it, received ${info.offset}`,
      );
    at = aligned(at + info.sizeBytes, alignment);
    tensors.set(name, info);
  }
  return tensors;
}

function readInfo(cursor: Cursor, where: string, name: string): GgufTensorInfo {
  const axes = cursor.uint32(where);
  if (axes > mostAxes)
    throw new GgufError("gguf.malformed", where, `expected at most ${mostAxes} axes, received ${axes}`);
  const shape = Array.from({ length: axes }, () => cursor.count(where)).reverse();
  const code = cursor.uint32(where);
  const type = typeOfCode(code);
  if (type === undefined)
    throw new GgufError(
      "gguf.unsupported",
      where,
      `tensors of type ${code} are not known here; the file may need a newer reader`,
    );
  const offset = cursor.count(where);
  return { name, type, shape, offset, sizeBytes: tensorBytes(where, type, shape) };
}

/** Bytes of a tensor. @throws GgufError when its rows are no whole blocks, or it has too many elements. */
export function tensorBytes(where: string, type: GgufTensorType, shape: readonly number[]): number {
  const block = blockElements(type);
  const row = shape.at(-1) ?? 1;
  if (row % block !== 0)
    throw new GgufError(
      "gguf.malformed",
      where,
      `${type} keeps blocks of ${block} elements: expected a last axis that is a multiple of it, received [${shape}]`,
    );
  let size = blockBytes(type);
  for (const axis of [row / block, ...shape.slice(0, -1)]) {
    size *= axis;
    if (size > Number.MAX_SAFE_INTEGER)
      throw new GgufError("gguf.malformed", where, `[${shape}] has too many elements`);
  }
  return size;
}
