/**
 * @file The header of a safetensors file: 8 bytes length (little-endian), JSON, spaces; then the tensors' bytes without holes.
 * Source: the format's description in huggingface/safetensors, README.md, "Format"; every rule of it is checked here.
 */
import { isRecord, shown } from "../../schema/problems.ts";
import { type ElementType, elementBytes } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import { parseJson } from "../json-check.ts";
import { dtypeNames, dtypeOf, isRefused } from "./dtype.ts";

/** What a file may ask for. */
export interface SafetensorsLimits {
  /** Length of the header in bytes; 100,000,000 when not said, the most that the reference reader takes. */
  readonly headerBytes?: number;
  /** Values in the header's JSON; 4,000,000 when not said: some 400,000 tensors. */
  readonly headerValues?: number;
}

/** A tensor of a file, without its numbers. */
export interface SafetensorsInfo {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Where its bytes begin and end, from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** What a header says. Tensors are in the order of their bytes. */
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
}

/** Bytes before the JSON. */
export const lengthBytes = 8;

/** Length of the JSON, which the file's first 8 bytes tell. @throws FileFormatError when the file can't hold it, or the limits don't allow it. */
export function headerLength(first: Uint8Array, fileBytes: number, limits: SafetensorsLimits = {}): number {
  if (first.length < lengthBytes)
    throw new FileFormatError(
      "safetensors",
      `expected at least ${lengthBytes} bytes, received ${first.length}; is the file cut off?`,
    );
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  const most = limits.headerBytes ?? 100_000_000;
  if (length > BigInt(most))
    throw new FileFormatError(
      "safetensors, header",
      `expected at most ${most} bytes, received a length of ${length}; is this a safetensors file?`,
    );
  if (Number(length) > fileBytes - lengthBytes)
    throw new FileFormatError(
      "safetensors, header",
      `expected ${length} bytes, but the file has ${fileBytes - lengthBytes} behind its first 8; it is cut off`,
    );
  return Number(length);
}

/**
 * Reads a header. `dataBytes` is the number of bytes behind it.
 * @throws FileFormatError for whatever the format forbids: holes, overlaps, sizes that don't fit, keys said twice.
 */
export function parseHeader(json: Uint8Array, dataBytes: number, limits: SafetensorsLimits = {}): SafetensorsHeader {
  const where = "safetensors, header";
  if (json[0] !== 0x7b) throw new FileFormatError(where, "expected it to begin with {");
  const raw = parseJson(where, json, { depth: 3, values: limits.headerValues ?? 4_000_000 });
  if (!isRecord(raw)) throw new FileFormatError(where, `expected an object, received ${shown(raw)}`);
  let metadata: Readonly<Record<string, string>> = {};
  const infos: SafetensorsInfo[] = [];
  for (const [name, entry] of Object.entries(raw)) {
    if (name === "__metadata__") metadata = readMetadata(entry);
    else infos.push(readInfo(name, entry));
  }
  // an empty tensor lies where the next one begins
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of infos) {
    if (begin !== at)
      throw new FileFormatError(
        nameOfTensor(name),
        `expected its bytes to begin at ${at}, where the tensor before it ends, received ${begin}: ${begin > at ? "a hole" : "an overlap"}`,
      );
    at = end;
  }
  if (at !== dataBytes)
    throw new FileFormatError(
      "safetensors",
      `expected ${at} bytes of tensors behind the header, received ${dataBytes}${at > dataBytes ? "; the file is cut off" : ""}`,
    );
  return { metadata, tensors: new Map(infos.map((info) => [info.name, info])) };
}

/** How messages name a tensor. */
export const nameOfTensor = (name: string): string => `safetensors, tensor ${shown(name)}`;

function readMetadata(entry: unknown): Readonly<Record<string, string>> {
  const where = "safetensors, __metadata__";
  if (!isRecord(entry)) throw new FileFormatError(where, `expected an object of texts, received ${shown(entry)}`);
  for (const [key, value] of Object.entries(entry))
    if (typeof value !== "string")
      throw new FileFormatError(`${where}, ${shown(key)}`, `expected a text, received ${shown(value)}`);
  return entry as Readonly<Record<string, string>>;
}

function readInfo(name: string, entry: unknown): SafetensorsInfo {
  const where = nameOfTensor(name);
  if (!isRecord(entry))
    throw new FileFormatError(where, `expected { dtype, shape, data_offsets }, received ${shown(entry)}`);
  const { dtype: dtypeName, shape, data_offsets: offsets } = entry;
  const dtype = readDtype(where, dtypeName);
  if (!isCounts(shape))
    throw new FileFormatError(where, `expected shape to be a list of whole numbers from 0, received ${shown(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw new FileFormatError(
      where,
      `expected data_offsets to be two whole numbers from 0, received ${shown(offsets)}`,
    );
  const [begin = 0, end = 0] = offsets;
  const size = shape.reduce((product, axis) => product * axis, elementBytes(dtype));
  // a product may pass 2^53 on its way and come back to zero: [2^40, 2^40, 0]; no other reader takes it either
  if (!isSizeSafe(shape, elementBytes(dtype)))
    throw new FileFormatError(where, `${shown(shape)} has too many elements`);
  if (end - begin !== size)
    throw new FileFormatError(
      where,
      `expected ${size} bytes for ${String(dtypeName)} ${shown(shape)}, received data_offsets ${shown(offsets)}`,
    );
  return { name, dtype, shape, begin, end };
}

function readDtype(where: string, name: unknown): ElementType {
  const dtype = typeof name === "string" ? dtypeOf(name) : undefined;
  if (dtype !== undefined) return dtype;
  if (typeof name === "string" && isRefused(name))
    throw new FileFormatError(
      where,
      `the element type ${name} is not supported; convert the tensor to F16, BF16 or F32`,
    );
  throw new FileFormatError(where, `expected dtype to be one of ${dtypeNames.join(", ")}, received ${shown(name)}`);
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

function isSizeSafe(shape: readonly number[], bytes: number): boolean {
  let size = bytes;
  for (const axis of shape) {
    size *= axis;
    if (size > Number.MAX_SAFE_INTEGER) return false;
  }
  return true;
}
